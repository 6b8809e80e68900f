import { compareIds } from "../core/position.ts";
import { idBefore } from "./id_before.ts";
import type { BusListener } from "./port.ts";
import type { RedisClient } from "./redis_connect.ts";
import { RedisLink } from "./redis_link.ts";

/** What {@link RedisStream} needs. */
export interface RedisStreamOptions {
  /** Opens a connection to read on, which blocks. */
  readonly open: () => RedisClient;
  /** Sends a command on another connection. */
  readonly ask: (command: string, ...args: (string | number)[]) => Promise<unknown>;
  /** The name of the stream. */
  readonly stream: string;
  /** How far back the window is filled. */
  readonly windowMs: number;
  readonly listener: BusListener;
  /** Called when a read has succeeded: all is well. */
  readonly proven: () => void;
  /** Called when the stream cannot be read, or is not heard, with a reason. */
  readonly failed: (reason: string) => void;
  /** From 0 to below 1, for the waits between attempts. */
  readonly random: () => number;
}

type Entry = [id: string, fields: string[] | null];

const PAGE = 1_000;
const SMALLEST_PAGE = 16;
/** A read that brings so many has perhaps skipped some: the stream is then read inclusively. */
const LIVE_PAGE = 100;
const BLOCK_MS = 2_000;
const RETRY_MS = 1_000;
const CHECK_EVERY_MS = 1_000;
const DEAF_AFTER_MS = 5_000;
const FIELD = "message";

/**
 * The reader of the stream: first its window, in pages, then what is added, as it is added. Where it
 * cannot know that it goes on from where it stood, it says so: it looks whether its last entry is
 * still there after every reconnect, whenever a read comes back full, and each second.
 */
export class RedisStream implements AsyncDisposable {
  readonly #options: RedisStreamOptions;
  readonly #link: RedisLink;
  #client: RedisClient | undefined;
  /** Everything up to this id has been handed over. */
  #last = "0-0";
  /** Whether `#last` is an entry that was read, so that it must still be there. */
  #isAnchored = false;
  /** The last id that there was at the start; undefined before. */
  #tail: string | undefined;
  #isFilled = false;
  /** How many entries are asked for at once: fewer after a page that did not come in time. */
  #page = PAGE;
  /** Whether the last entry was seen to be gone. */
  #isInDoubt = false;
  #trouble: string | undefined = "the stream is not read yet";
  /** An id that the reader should have reached, and where it stood, when. */
  #goal: { id: string; from: string; since: number } | undefined;
  #checkedAt = performance.now();
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #checkTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: RedisStreamOptions) {
    this.#options = options;
    this.#link = new RedisLink({
      open: options.open,
      up: (client) => {
        this.#client = client;
        this.#read(client);
      },
      down: (reason) => {
        clearTimeout(this.#retryTimer);
        this.#client = undefined;
        this.#fail(reason);
      },
      random: options.random,
    });
  }

  /** Undefined while the window is filled and the reader keeps up with the stream. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Reads, and goes on doing so. */
  start(): void {
    this.#link.start();
    this.#checkTimer = setTimeout(() => this.#check(), CHECK_EVERY_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#checkTimer);
    await this.#link[Symbol.asyncDispose]();
  }

  async #read(client: RedisClient): Promise<void> {
    try {
      if (this.#tail === undefined) await this.#begin(client);
      await this.#catchUp(client);
      this.#fill();
      while (client === this.#client) {
        this.#succeed();
        if (this.#isInDoubt) await this.#recheck(client);
        await this.#next(client);
      }
    } catch (error) {
      if (client !== this.#client) return;
      const { name, message } = error as Error;
      if (name !== "ReplyError") {
        this.#page = Math.max(SMALLEST_PAGE, this.#page >> 2);
        return this.#link.reset(message);
      }
      // An answer that is an error (WRONGTYPE) is no fault of the connection.
      this.#fail(message);
      this.#retryTimer = setTimeout(() => this.#read(client), RETRY_MS);
    }
  }

  /** Finds where the window begins: at the last entry before it, so that nothing lies in between. */
  async #begin(client: RedisClient): Promise<void> {
    const { stream, windowMs, listener } = this.#options;
    const tail = await this.#generated(client) ?? "0-0";
    const start = await this.#time(client) - windowMs;
    const [entry] = await this.#call<Entry[]>(
      client,
      "xrevrange",
      stream,
      `(${Math.max(1, start)}-0`,
      "-",
      "COUNT",
      1,
    );
    this.#tail = tail;
    if (!entry) return;
    this.#last = entry[0];
    this.#isAnchored = true;
    listener.entry(entry[0], envelopeOf(entry), true);
  }

  /** Reads all that there is by now, from the last entry inclusive. */
  async #catchUp(client: RedisClient): Promise<void> {
    // Where nothing was there before, a full page may not begin with the first that came.
    let isBlind = this.#isFilled && !this.#isAnchored;
    for (;;) {
      const count = this.#page;
      const from = this.#isAnchored ? this.#last : `(${this.#last}`;
      const page = await this.#range(client, from, count);
      const isFull = page.length === count;
      if (this.#isAnchored && page.shift()?.[0] !== this.#last) {
        await this.#skip(client);
        continue;
      }
      const [first] = page;
      if (first && isFull && isBlind) this.#jump(idBefore(first[0]));
      isBlind = false;
      this.#handOver(page);
      if (!isFull) return;
    }
  }

  /** Waits for what comes next. */
  async #next(client: RedisClient): Promise<void> {
    const reply = await this.#call<[stream: string, entries: Entry[]][] | null>(
      client,
      "xread",
      "COUNT",
      LIVE_PAGE,
      "BLOCK",
      BLOCK_MS,
      "STREAMS",
      this.#options.stream,
      this.#last,
    );
    const entries = reply?.[0]?.[1] ?? [];
    if (entries.length === LIVE_PAGE) await this.#catchUp(client);
    else this.#handOver(entries);
  }

  async #recheck(client: RedisClient): Promise<void> {
    this.#isInDoubt = false;
    if (!this.#isAnchored) await this.#skip(client);
    await this.#catchUp(client);
  }

  /** The last entry is gone: says so, unless nothing came after it, and goes on with what there is. */
  async #skip(client: RedisClient): Promise<void> {
    const [next] = await this.#range(client, `(${this.#last}`, 1);
    if (next) return this.#jump(idBefore(next[0]));
    const generated = await this.#generated(client);
    const hadNone = !this.#isAnchored && generated === undefined;
    this.#isAnchored = false;
    if (hadNone || generated === this.#last) return;
    // Where there is no stream, the next one begins now: whatever a client saw lies before.
    this.#jump(generated ?? idBefore(`${await this.#time(client)}-0`));
  }

  #jump(id: string): void {
    this.#last = id;
    this.#isAnchored = false;
    this.#options.listener.gap("stream", id);
  }

  #handOver(entries: readonly Entry[]): void {
    const { listener } = this.#options;
    for (const entry of entries) {
      const id = entry[0];
      if (!this.#isFilled && compareIds(id, this.#tail ?? "0-0") > 0) this.#fill();
      this.#last = id;
      this.#isAnchored = true;
      listener.entry(id, envelopeOf(entry), !this.#isFilled);
    }
  }

  #fill(): void {
    if (this.#isFilled) return;
    this.#isFilled = true;
    const tail = this.#tail ?? "0-0";
    if (compareIds(this.#last, tail) < 0) {
      this.#last = tail;
      this.#isAnchored = false;
    }
    this.#options.listener.filled(this.#last);
  }

  /**
   * Asks on the other connection where the stream ends. A reader that does not get there is deaf,
   * whatever its own connection says.
   */
  async #check(): Promise<void> {
    const { ask, stream } = this.#options;
    const last = this.#last;
    const isAnchored = this.#isAnchored;
    try {
      const [newest, own] = await Promise.all([
        ask("xrevrange", stream, "+", "-", "COUNT", 1) as Promise<Entry[]>,
        ask("xrange", stream, last, last, "COUNT", 1) as Promise<Entry[]>,
      ]);
      this.#checkedAt = performance.now();
      const end = newest[0]?.[0] ?? "0-0";
      this.#isInDoubt ||= isAnchored ? own.length === 0 : compareIds(end, last) < 0;
      this.#compare(end);
    } catch (error) {
      if (performance.now() - this.#checkedAt > DEAF_AFTER_MS) {
        this.#fail(`the stream cannot be checked: ${(error as Error).message}`);
      }
    }
    if (!this.#isClosed) this.#checkTimer = setTimeout(() => this.#check(), CHECK_EVERY_MS);
  }

  #compare(end: string): void {
    const last = this.#last;
    const goal = this.#goal;
    if (!this.#isFilled || compareIds(end, last) <= 0) {
      this.#goal = undefined;
    } else if (goal === undefined || compareIds(last, goal.id) >= 0) {
      this.#goal = { id: end, from: last, since: performance.now() };
    } else if (performance.now() - goal.since > DEAF_AFTER_MS) {
      const reason = `the reader trails the stream for more than ${DEAF_AFTER_MS} ms`;
      this.#fail(reason);
      // One that moves is only slow, and building it anew would make it slower.
      if (last === goal.from) this.#link.reset(reason);
      this.#goal = undefined;
    }
  }

  #succeed(): void {
    this.#link.settle();
    this.#page = PAGE;
    if (this.#goal !== undefined && compareIds(this.#last, this.#goal.id) < 0) return;
    this.#trouble = undefined;
    this.#options.proven();
  }

  #fail(reason: string): void {
    this.#trouble = reason;
    this.#options.failed(reason);
  }

  #range(client: RedisClient, from: string, count: number): Promise<Entry[]> {
    return this.#call(client, "xrange", this.#options.stream, from, "+", "COUNT", count);
  }

  /** The last id that the stream has given, also where that entry is gone; none without a stream. */
  async #generated(client: RedisClient): Promise<string | undefined> {
    try {
      const info = await this.#call<unknown[]>(client, "xinfo", "STREAM", this.#options.stream);
      return String(info[info.indexOf("last-generated-id") + 1]);
    } catch (error) {
      if ((error as Error).message.includes("no such key")) return undefined;
      throw error;
    }
  }

  async #time(client: RedisClient): Promise<number> {
    const [seconds, microseconds] = await this.#call<[string, string]>(client, "time");
    return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
  }

  async #call<T>(client: RedisClient, command: string, ...args: (string | number)[]): Promise<T> {
    const reply = await client.call(command, ...args);
    if (client !== this.#client) throw new Error("the connection was given up");
    return reply as T;
  }
}

/** The text of an entry: empty where it has no such field, so that it is counted as malformed. */
function envelopeOf([, fields]: Entry): string {
  for (let at = 0; fields && at < fields.length; at += 2) {
    if (fields[at] === FIELD) return fields[at + 1] ?? "";
  }
  return "";
}
