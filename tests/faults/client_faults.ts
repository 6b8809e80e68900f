/** What clients and backends do to a node. */
import { last } from "../support/wait.ts";
import { openSocket } from "../support/clients.ts";
import { openBackend } from "../support/redis_client.ts";
import { StalledClient } from "../support/stalled_client.ts";
import type { Fault } from "./fault.ts";
import type { Stage } from "./stage.ts";

const MB = 1 << 20;
const STALLED = 20;

/** Publishes `count` envelopes of about `bytes` each for `recipient`, by turns with pauses. */
async function burst(
  stage: Stage,
  { recipient, count, bytes }: { recipient: string; count: number; bytes: number },
): Promise<void> {
  await using backend = await openBackend(stage.bus.servers[0]!.url);
  const envelope = JSON.stringify({ recipients: [recipient], x: "x".repeat(bytes) });
  for (let n = 0; n < count; n += 10) {
    const sent = Array.from({ length: 10 }, () => backend.redis.publish("my_channel", envelope));
    await Promise.all(sent);
    await last(20);
  }
}

/** What is malformed for `demo`, which is there: it is read to the end, and dropped. */
async function junk({ bus }: Stage): Promise<void> {
  await using backend = await openBackend(bus.servers[0]!.url);
  const text = `{"recipients":["demo"],"x":"${"x".repeat(100_000)}",}`;
  for (let bytes = 0; bytes < 100 * MB; bytes += 10 * text.length) {
    await Promise.all(
      Array.from({ length: 10 }, () => backend.redis.publish("my_channel", text)),
    );
  }
}

/** The faults of clients and backends. */
export const CLIENT_FAULTS: readonly Fault[] = [
  {
    name: `${STALLED} clients read nothing, beside those that do`,
    async strike(stage) {
      for (let n = 0; n < STALLED; n++) {
        const client = await StalledClient.open(stage.node.port, "crowd", { v1: true });
        stage.left.use(client);
      }
      await burst(stage, { recipient: "crowd", count: 200, bytes: 60_000 });
    },
    lastMs: 3_000,
    heal: (stage) => stage.cleanUp(),
    alerts: ["KeywireSlowClients"],
  },
  {
    name: "every client's connection is cut",
    // deno-lint-ignore require-await -- a fault may take its time
    strike: async ({ door }) => door.cut(),
    alerts: [],
  },
  {
    name: "every client's connection is cut in mid-frame",
    async strike({ door }) {
      door.cutAfter(20);
      await last(1_000);
      door.cutAfter(Infinity);
    },
    heal: () => Promise.resolve(),
    alerts: [],
  },
  {
    name: "clients cannot reach the node for 5 s",
    // deno-lint-ignore require-await -- a fault may take its time
    strike: async ({ door }) => door.refuse(),
    lastMs: 5_000,
    // deno-lint-ignore require-await -- as above
    heal: async ({ door }) => door.accept(),
    alerts: [],
  },
  {
    name: "100 MB of malformed envelopes",
    strike: junk,
    heal: () => Promise.resolve(),
    alerts: ["KeywireMessagesDropped"],
  },
  {
    name: "more clients than `MAX_CONNECTIONS` for 5 s",
    stage: { env: { MAX_CONNECTIONS: "24" } },
    async strike(stage) {
      for (let n = 0; n < 30; n++) {
        const client = await openSocket(stage.node.url, "crowd").catch(() => undefined);
        if (client !== undefined) stage.left.use(client);
      }
    },
    lastMs: 5_000,
    heal: (stage) => stage.cleanUp(),
    alerts: ["KeywireSlotsNearlyUsed", "KeywireConnectsRefused"],
  },
  {
    name: "a slow line to Redis for 20 s: it stands still for 2 of each 2.1 s",
    async strike({ bus }) {
      const end = performance.now() + 20_000;
      while (performance.now() < end) {
        bus.network!.hold();
        await last(2_000);
        bus.network!.release();
        await last(100);
      }
    },
    heal: () => Promise.resolve(),
    alerts: ["KeywireDeliveryLag"],
  },
];
