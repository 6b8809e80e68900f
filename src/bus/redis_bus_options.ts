import type { SentinelCredentials } from "../core/redis_url.ts";

/** What `RedisBus` is made of. */
export interface RedisBusOptions {
  /** As `parseRedisUrl` takes it. */
  readonly url: string;
  /** What the Sentinels themselves want. */
  readonly sentinel?: SentinelCredentials;
  /** The channel where backends publish; undefined: Pub/Sub is off. */
  readonly channel?: string | undefined;
  /** The stream where backends append; undefined: it is off. */
  readonly stream?: string | undefined;
  /** Begins every other name in Redis. */
  readonly prefix: string;
  /** How far back the stream's window is filled at the start. */
  readonly windowMs: number;
  /** This node: no other has or had the same. At most 20 characters of `[A-Za-z0-9_]`. */
  readonly nodeId: string;
  /** From 0 to below 1. */
  readonly random?: () => number;
}
