import type { Settings } from "../settings/settings.ts";
import { MemoryBus } from "./memory.ts";
import type { Bus } from "./port.ts";
import { RedisBus } from "./redis.ts";

/** What a bus needs beside the settings. */
export interface OpenBusOptions {
  /** This node: no other has or had the same. At most 20 characters of `[A-Za-z0-9_]`. */
  readonly nodeId: string;
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * The bus that the settings ask for: Redis, or the embedded one where no Redis is named.
 * @throws {TypeError} when the URL of Redis cannot be read; the message shows nothing of it.
 */
export function openBus(
  settings: Pick<
    Settings,
    | "redisUrl"
    | "redisSentinelUsername"
    | "redisSentinelPassword"
    | "redisChannel"
    | "redisStream"
    | "redisPrefix"
    | "historySeconds"
  >,
  { nodeId, now }: OpenBusOptions,
): Bus {
  const { redisUrl, redisChannel, redisStream, redisPrefix, historySeconds } = settings;
  if (redisUrl === undefined) {
    return new MemoryBus({ stream: redisStream !== undefined, nodeId, now });
  }
  return new RedisBus({
    url: redisUrl,
    sentinel: {
      username: settings.redisSentinelUsername,
      password: settings.redisSentinelPassword,
    },
    channel: redisChannel,
    stream: redisStream,
    prefix: redisPrefix,
    windowMs: historySeconds * 1_000,
    nodeId,
  });
}
