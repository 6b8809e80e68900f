import { RedisPresence, type RedisPresenceOptions } from "../../src/presence/redis.ts";
import type { RedisServer } from "./redis.ts";

/** Renewed often, and held through the pauses of a busy machine: for nodes of which none dies. */
const STEADY = { renewMs: 250, leaseMs: 4_000, retryMs: 50 };

/** Times that let a node die in a test: it is reaped within some 1.5 s. */
export const QUICK = { ...STEADY, leaseMs: 750 };

/** Opens a presence on the Redis at `url`, with the times of nodes of which none dies. */
export function openRedisPresence(
  url: string,
  options: Partial<RedisPresenceOptions> = {},
): RedisPresence {
  return new RedisPresence({
    url,
    prefix: "keywire",
    connectedChannel: "connected",
    disconnectedChannel: "disconnected",
    nodeId: crypto.randomUUID().replaceAll("-", "").slice(0, 16),
    port: 8088,
    report: () => ({ version: "0", since: 0, connections: 0 }),
    ...options,
    timing: { ...STEADY, ...options.timing },
  });
}

/**
 * Makes a Redis one that Keywire has used for long: in the first seconds of a new one, notices wait
 * for nodes that may have to write again what was lost.
 */
export async function trustRegistry(server: RedisServer, prefix = "keywire"): Promise<void> {
  const info = await server.tell("INFO", "server");
  const runId = /run_id:(\w+)/.exec(info)?.[1];
  await server.tell("SET", `${prefix}:{nodes}:mark`, `${runId} test 0`);
}
