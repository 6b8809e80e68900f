import { Redis } from "ioredis";

/** A backend's connection to Redis, which keeps what it hears on the channels it subscribes. */
export interface Backend extends AsyncDisposable {
  readonly redis: Redis;
  /** `<channel> <payload>` of every message, in order. */
  readonly heard: readonly string[];
}

/** Connects to `url`, subscribed to `channels`. */
export async function openBackend(
  url: string,
  { channels = [] }: { channels?: readonly string[] } = {},
): Promise<Backend> {
  const redis = new Redis(url);
  const subscriber = new Redis(url);
  for (const one of [redis, subscriber]) one.on("error", () => {}); // it reconnects by itself
  const heard: string[] = [];
  subscriber.on("message", (channel: string, text: string) => heard.push(`${channel} ${text}`));
  if (channels.length > 0) await subscriber.subscribe(...channels);
  await redis.ping();
  return {
    redis,
    heard,
    [Symbol.asyncDispose]: () => {
      redis.disconnect();
      subscriber.disconnect();
      return Promise.resolve();
    },
  };
}
