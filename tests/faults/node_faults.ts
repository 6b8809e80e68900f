/** What happens to a node, before which a balancer stands that knows at once. */
import { last } from "../support/wait.ts";
import type { Fault } from "./fault.ts";
import type { Stage } from "./stage.ts";

const TWO = { nodes: 2 } as const;

/** New connections go to the other node. */
function turnAway(stage: Stage): void {
  stage.door.target = stage.nodes[1]!.port;
}

/** The faults of a node. */
export const NODE_FAULTS: readonly Fault[] = [
  {
    name: "node stopped by SIGTERM, another one there",
    stage: TWO,
    async strike(stage) {
      turnAway(stage);
      stage.node.kill("SIGTERM");
      await stage.node.ended;
    },
    lastMs: 2_000,
    heal: (stage) => stage.restart(),
    alerts: ["KeywireDown"],
  },
  {
    name: "node killed, another one there",
    stage: TWO,
    async strike(stage) {
      turnAway(stage);
      stage.node.kill();
      await stage.node.ended;
    },
    lastMs: 5_000,
    heal: (stage) => stage.restart(),
    alerts: ["KeywireDown"],
  },
  {
    name: "node frozen for 45 s, another one there",
    stage: TWO,
    // deno-lint-ignore require-await -- a fault may take its time
    async strike(stage) {
      turnAway(stage);
      stage.node.kill("SIGSTOP");
    },
    lastMs: 45_000,
    // deno-lint-ignore require-await -- as above
    heal: async ({ node }) => node.kill("SIGCONT"),
    alerts: ["KeywireDown"],
  },
  {
    name: "the only node frozen for 10 s",
    // deno-lint-ignore require-await -- a fault may take its time
    strike: async ({ node }) => node.kill("SIGSTOP"),
    lastMs: 10_000,
    // deno-lint-ignore require-await -- as above
    heal: async ({ node }) => node.kill("SIGCONT"),
    alerts: ["KeywireDown", "KeywireDeliveryLag"],
  },
  {
    name: "the only node killed, back after 3 s; three times",
    async strike(stage) {
      for (let times = 0; times < 3; times++) {
        stage.node.kill();
        await last(3_000);
        await stage.restart();
        await last(2_500); // until it was scraped
      }
    },
    alerts: ["KeywireDown", "KeywireRestartLoop"],
  },
  {
    name: "too little CPU for 12 s: it may run for 0.1 of each 0.5 s",
    async strike({ node }) {
      const end = performance.now() + 12_000;
      while (performance.now() < end) {
        node.kill("SIGSTOP");
        await last(400);
        node.kill("SIGCONT");
        await last(100);
      }
    },
    heal: () => Promise.resolve(),
    alerts: ["KeywireEventLoopBlocked"],
  },
  {
    name: "no descriptors left for 8 s",
    stage: { prefix: ["prlimit", "--nofile=160:160"] },
    async strike({ node, left }) {
      for (let n = 0; n < 250; n++) {
        const connection = await Deno.connect({ hostname: "127.0.0.1", port: node.port })
          .catch(() => undefined);
        if (connection === undefined) break; // it has noticed, and does not listen
        left.defer(() => connection.close());
      }
    },
    lastMs: 8_000,
    heal: (stage) => stage.cleanUp(),
    alerts: [],
  },
];
