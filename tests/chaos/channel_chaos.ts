import { type ChaosOptions, type PhaseReport, runChaos } from "./chaos.ts";
import {
  connectionsCut,
  deploy,
  nodeCutOff,
  nodeFrozen,
  nodeKilled,
  redisKilled,
} from "./troubles.ts";

/**
 * PUBLISH under every trouble: Redis keeps nothing, so there are losses, and each must be told. While
 * clients only move between nodes that are subscribed all the while, in the first phase, there are none.
 */
export function channelChaos(options: ChaosOptions): Promise<PhaseReport[]> {
  return runChaos({
    env: { REDIS_STREAM: "" },
    send: (redis, envelope) => redis.publish("my_channel", envelope),
    phases: [connectionsCut, nodeFrozen, nodeKilled, nodeCutOff, redisKilled, deploy],
  }, options);
}
