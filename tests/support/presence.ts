import { RedisPresence, type RedisPresenceOptions } from "../../src/presence/redis.ts";
import type { RedisServer } from "./redis.ts";

/** Times that let tests run in seconds: a node that dies is reaped within some 1.5 s. */
export const QUICK = { renewMs: 250, leaseMs: 750, retryMs: 50 };

/** Opens a presence on the Redis at `url`, with short leases. */
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
    timing: { ...QUICK, ...options.timing },
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
