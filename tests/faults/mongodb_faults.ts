/** What happens to MongoDB. */
import { last } from "../support/wait.ts";
import type { Fault } from "./fault.ts";

const MONGODB = { mongodb: true } as const;

/** The faults of the key store. */
export const MONGODB_FAULTS: readonly Fault[] = [
  {
    name: "MongoDB killed, back after 8 s",
    stage: MONGODB,
    strike: ({ mongodb }) => mongodb!.kill(),
    lastMs: 8_000,
    heal: ({ mongodb }) => mongodb!.start(),
    alerts: ["KeywireStoreDown", "KeywireConnectsRefused"],
  },
  {
    name: "MongoDB frozen for 10 s",
    stage: MONGODB,
    strike: ({ mongodb }) => mongodb!.freeze(),
    lastMs: 10_000,
    heal: ({ mongodb }) => mongodb!.thaw(),
    alerts: ["KeywireStoreDown"],
  },
  {
    name: "MongoDB slow for 10 s: it stands still for 1.5 of each 1.7 s",
    stage: MONGODB,
    async strike({ mongodb }) {
      const end = performance.now() + 10_000;
      while (performance.now() < end) {
        await mongodb!.freeze();
        await last(1_500);
        await mongodb!.thaw();
        await last(200);
      }
    },
    heal: () => Promise.resolve(),
    alerts: [],
  },
  {
    name: "MongoDB restarted at once",
    stage: MONGODB,
    async strike({ mongodb }) {
      await mongodb!.kill();
      await mongodb!.start();
    },
    alerts: [],
  },
  {
    name: "the node restarts while MongoDB is down, for 8 s",
    stage: MONGODB,
    async strike(stage) {
      await stage.mongodb!.kill();
      stage.node.kill();
      await stage.restart();
    },
    lastMs: 8_000,
    heal: ({ mongodb }) => mongodb!.start(),
    alerts: ["KeywireStoreDown"],
  },
];
