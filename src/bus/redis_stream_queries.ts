import type { RedisClient } from "../redis/connect_redis.ts";

/** An entry of the stream, as Redis answers. */
export type Entry = [id: string, fields: string[] | null];

/** What {@link RedisStreamQueries} asks, and of whom. */
export interface RedisStreamQueriesOptions {
  readonly client: RedisClient;
  /** The name of the stream. */
  readonly stream: string;
  /** Whether the answers of this connection still count. */
  readonly counts: () => boolean;
}

/**
 * What is asked about the stream on one connection. Each question throws where the connection was
 * given up meanwhile.
 */
export class RedisStreamQueries {
  readonly #options: RedisStreamQueriesOptions;

  constructor(options: RedisStreamQueriesOptions) {
    this.#options = options;
  }

  /** The first `count` entries from `from` on, which is an id, or `(` and an id. */
  range(from: string, count: number): Promise<Entry[]> {
    return this.#call("xrange", this.#options.stream, from, "+", "COUNT", count);
  }

  /** The last entry that is older than the time `ms`, in milliseconds since 1970. */
  async lastBefore(ms: number): Promise<Entry | undefined> {
    const { stream } = this.#options;
    const id = `(${Math.max(1, ms)}-0`;
    const [entry] = await this.#call<Entry[]>("xrevrange", stream, id, "-", "COUNT", 1);
    return entry;
  }

  /** Waits up to `blockMs` for what comes behind `id`: at most `count` entries, or none. */
  async next(id: string, count: number, blockMs: number): Promise<Entry[]> {
    const { stream } = this.#options;
    const limits = ["COUNT", count, "BLOCK", blockMs];
    const reply = await this.#call<[stream: string, entries: Entry[]][] | null>(
      "xread",
      ...limits,
      "STREAMS",
      stream,
      id,
    );
    return reply?.[0]?.[1] ?? [];
  }

  /** The last id that the stream has given, also where that entry is gone; none without a stream. */
  async lastGeneratedId(): Promise<string | undefined> {
    try {
      const info = await this.#call<unknown[]>("xinfo", "STREAM", this.#options.stream);
      return String(info[info.indexOf("last-generated-id") + 1]);
    } catch (error) {
      if ((error as Error).message.includes("no such key")) return undefined;
      throw error;
    }
  }

  /** The time of the server, in milliseconds since 1970. */
  async time(): Promise<number> {
    const [seconds, microseconds] = await this.#call<[string, string]>("time");
    return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  }

  async #call<T>(command: string, ...args: (string | number)[]): Promise<T> {
    const reply = await this.#options.client.call(command, ...args);
    if (!this.#options.counts()) throw new Error("the connection was given up");
    return reply as T;
  }
}
