import type { Buffer } from "node:buffer";
import type { RedisClient } from "../redis/connect_redis.ts";
import { type DecodedEnvelope, decodeEnvelope } from "./decode_envelope.ts";

/** An entry of the stream. */
export interface Entry extends DecodedEnvelope {
  readonly id: string;
  readonly traceparent?: string;
}

/** What came behind an entry. */
export interface Next {
  readonly entries: Entry[];
  /** How many entries the stream holds in all by then. */
  readonly length: number;
  /** Whether the entry before them was seen to be there still, so that none is missing between. */
  readonly goesOn: boolean;
}

/** An entry as Redis answers, in bytes. */
type RawEntry = [id: Buffer, fields: Buffer[] | null];

/** The field that holds the envelope, and the one that names the trace that it belongs to. */
const FIELD = "message";
const TRACE_FIELD = "traceparent";

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
  async range(from: string, count: number): Promise<Entry[]> {
    const { stream } = this.#options;
    const entries = await this.#callBuffer<RawEntry[]>("xrange", stream, from, "+", "COUNT", count);
    return entries.map(readEntry);
  }

  /** The last entry that is older than the time `ms`, in milliseconds since 1970. */
  async lastBefore(ms: number): Promise<Entry | undefined> {
    const { stream } = this.#options;
    const id = `(${Math.max(1, ms)}-0`;
    const entries = await this.#callBuffer<RawEntry[]>("xrevrange", stream, id, "-", "COUNT", 1);
    return entries.map(readEntry)[0];
  }

  /**
   * Waits up to `blockMs` for what comes behind `id`: at most `count` entries, or none.
   * @param looksBack whether to find out, too, if the entry `id` is still there
   */
  async next(
    id: string,
    { count, blockMs, looksBack }: { count: number; blockMs: number; looksBack: boolean },
  ): Promise<Next> {
    const { stream } = this.#options;
    const limits = ["COUNT", count, "BLOCK", blockMs];
    const [reply, length, own] = await Promise.all([
      this.#callBuffer<[stream: Buffer, entries: RawEntry[]][] | null>(
        "xread",
        ...limits,
        "STREAMS",
        stream,
        id,
      ),
      // In the same write: Redis answers it right behind, without another round trip.
      this.#call<number>("xlen", stream),
      looksBack ? this.#callBuffer<RawEntry[]>("xrange", stream, id, id, "COUNT", 1) : [],
    ]);
    const entries = reply?.[0]?.[1].map(readEntry) ?? [];
    return { entries, length, goesOn: own.length > 0 };
  }

  /** The last id that the stream has given, also where that entry is gone; none without a stream. */
  async lastGeneratedId(): Promise<string | undefined> {
    const info = await this.#info();
    return info && String(info.get("last-generated-id"));
  }

  /** Whether the stream holds every entry that it ever had, so that none was trimmed, or is gone. */
  async holdsAllEver(): Promise<boolean> {
    const info = await this.#info();
    return info?.get("entries-added") === info?.get("length");
  }

  /** What Redis tells of the stream, by name; none without a stream. */
  async #info(): Promise<ReadonlyMap<unknown, unknown> | undefined> {
    try {
      const info = await this.#call<unknown[]>("xinfo", "STREAM", this.#options.stream);
      return new Map(info.flatMap((name, at) => at % 2 === 0 ? [[name, info[at + 1]]] : []));
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

  #call<T>(command: string, ...args: (string | number)[]): Promise<T> {
    return this.#answer(this.#options.client.call(command, ...args));
  }

  #callBuffer<T>(command: string, ...args: (string | number)[]): Promise<T> {
    return this.#answer(this.#options.client.callBuffer(command, ...args));
  }

  async #answer<T>(asked: Promise<unknown>): Promise<T> {
    const reply = await asked;
    if (!this.#options.counts()) throw new Error("the connection was given up");
    return reply as T;
  }
}

function readEntry([id, fields]: RawEntry): Entry {
  return { id: id.toString("latin1"), ...readFields(fields ?? []) };
}

function readFields(fields: readonly Buffer[]): Omit<Entry, "id"> {
  const envelope = findField(fields, FIELD);
  if (envelope === undefined) return { text: "", malformed: "no_message_field" };
  const decoded = decodeEnvelope(envelope);
  // Most entries have one field, and are spared the search.
  const trace = fields.length === 2 ? undefined : findField(fields, TRACE_FIELD);
  return trace === undefined ? decoded : { ...decoded, traceparent: trace.toString("latin1") };
}

function findField(fields: readonly Buffer[], name: string): Buffer | undefined {
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const field = fields[at]!;
    if (field.length === name.length && field.toString("latin1") === name) return fields[at + 1];
  }
  return undefined;
}
