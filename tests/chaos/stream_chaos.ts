import { type ChaosOptions, type PhaseReport, runChaos } from "./chaos.ts";
import { calm, connectionsCut, deploy, nodeFrozen, nodeKilled, redisKilled } from "./troubles.ts";

/** XADD under every trouble: nothing may be lost at all, as the window is never passed. */
export function streamChaos(options: ChaosOptions): Promise<PhaseReport[]> {
  return runChaos({
    env: { REDIS_CHANNEL: "" },
    send: (redis, envelope) =>
      redis.xadd("my_stream", "MAXLEN", "~", 100_000, "*", "message", envelope),
    phases: [calm, nodeKilled, redisKilled, nodeFrozen, connectionsCut, deploy],
  }, options);
}
