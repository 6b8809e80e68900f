/** What happens to a Redis of several servers. */
import { tellRedis } from "../support/redis.ts";
import { last, waitFor } from "../support/wait.ts";
import type { Fault } from "./fault.ts";
import type { Stage } from "./stage.ts";

const SENTINEL = { bus: "sentinel" } as const;

/** Resolves when the Sentinel names the former replica as the master. */
async function otherMaster({ bus }: Stage): Promise<void> {
  const { port } = bus.servers[1]!;
  await waitFor("another master", async () => {
    const answer = await tellRedis(
      ...[bus.sentinel!.port, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"] as const,
    );
    return answer.includes(`${port}`);
  }, 30_000);
}

/** Failovers, and a Cluster that loses a master. */
export const FAILOVER_FAULTS: readonly Fault[] = [
  {
    name: "Sentinel: planned failover",
    stage: SENTINEL,
    async strike(stage) {
      await stage.bus.sentinel!.tell("SENTINEL", "FAILOVER", "mymaster");
    },
    heal: otherMaster,
    alerts: ["KeywireGaps"],
  },
  {
    name: "Sentinel: the master is killed",
    stage: SENTINEL,
    strike: ({ bus }) => bus.servers[0]!.kill(),
    heal: otherMaster,
    alerts: ["KeywireDeaf", "KeywireGaps"],
  },
  {
    name: "Sentinel: the master is killed, and 2 s of its tail were not replicated",
    stage: SENTINEL,
    async strike({ bus }) {
      const [master, replica] = bus.servers;
      replica!.freeze();
      await last(2_000);
      await master!.kill();
      replica!.thaw();
    },
    heal: otherMaster,
    alerts: ["KeywireDeaf", "KeywireGaps"],
  },
  {
    name: "Cluster: the stream's master killed, back empty after 8 s",
    stage: { bus: "cluster" },
    strike: ({ bus }) => bus.servers[0]!.kill(),
    lastMs: 8_000,
    heal: ({ bus }) => bus.servers[0]!.start(),
    alerts: ["KeywireDeaf", "KeywireGaps"],
  },
  {
    name: "Cluster: another master killed, back after 8 s",
    stage: { bus: "cluster" },
    strike: ({ bus }) => bus.servers[2]!.kill(),
    lastMs: 8_000,
    heal: ({ bus }) => bus.servers[2]!.start(),
    alerts: ["KeywirePresenceUnknown"],
  },
];
