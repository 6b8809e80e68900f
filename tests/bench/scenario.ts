/** The loads that servers are compared under. */
import type { Load } from "./generator.ts";
import type { Address } from "./templates.ts";

/** Clients of the scenarios with messages. */
export const SOCKETS = 1000;
/** Clients of `idle` and `connect`. */
export const MANY = 10_000;

/** One load on one server. */
export interface Scenario {
  readonly name: string;
  /** What the table says it is. */
  readonly says: string;
  /** How many keys the sockets hold: socket n holds key n modulo that. */
  readonly keys: number;
  readonly address: Address;
  readonly load: Pick<Load, "inFlight" | "rate" | "deliveries" | "sampleEvery">;
  /** Compares these subjects alone; all when absent. */
  readonly subjects?: readonly string[];
}

/** The scenarios with messages, of 240 bytes each. */
export const SCENARIOS: readonly Scenario[] = [
  {
    name: "topic",
    says: "one recipient held by all sockets, 50 messages in flight",
    keys: 1,
    address: { to: "topic" },
    load: { inFlight: 50, deliveries: SOCKETS, sampleEvery: 100 },
  },
  {
    name: "list",
    says: "each message names 1,000 recipients, 50 messages in flight",
    keys: SOCKETS,
    address: { to: "list", size: SOCKETS },
    load: { inFlight: 50, deliveries: SOCKETS, sampleEvery: 100 },
  },
  {
    name: "rate",
    says: "topic at 20 messages/s",
    keys: 1,
    address: { to: "topic" },
    load: { rate: 20, deliveries: SOCKETS, sampleEvery: 10 },
  },
  {
    name: "one",
    says: "each message names one of 1,000, 50 messages in flight",
    keys: SOCKETS,
    address: { to: "one" },
    load: { inFlight: 50, deliveries: 1, sampleEvery: 10 },
  },
  {
    name: "not-mine",
    says: "50,000 messages/s whose recipients are all elsewhere",
    keys: SOCKETS,
    address: { to: "elsewhere" },
    load: { rate: 50_000, deliveries: 0, sampleEvery: 0 },
    subjects: ["keywire", "ioredis"],
  },
];

/** Every name that `--scenario` takes. */
export const SCENARIO_NAMES: readonly string[] = [
  ...SCENARIOS.map(({ name }) => name),
  "idle",
  "connect",
  "burst",
  "storm",
  "crowd",
  "cores",
];
