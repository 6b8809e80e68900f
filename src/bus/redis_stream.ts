import { compareIds } from "../core/position.ts";
import { idBefore } from "./id_before.ts";
import type { BusListener } from "./port.ts";
import type { RedisClient } from "./redis_connect.ts";
import { RedisLink } from "./redis_link.ts";
import { type Entry, StreamQueries } from "./stream_queries.ts";
import { StreamWatch } from "./stream_watch.ts";

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

const PAGE = 1_000;
const SMALLEST_PAGE = 16;
/** A read that brings so many has perhaps skipped some: the stream is then read inclusively. */
const LIVE_PAGE = 100;
const BLOCK_MS = 2_000;
const RETRY_MS = 1_000;
const FIELD = "message";

/**
 * The reader of the stream: first its window, in pages, then what is added, as it is added. Where it
 * cannot know that it goes on from where it stood, it says so: it looks whether its last entry is
 * still there after every reconnect, whenever a read comes back full, and each second.
 */
export class RedisStream implements AsyncDisposable {
  readonly #options: RedisStreamOptions;
  readonly #link: RedisLink;
  readonly #watch: StreamWatch;
  /** Of the connection that is up. */
  #queries: StreamQueries | undefined;
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
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RedisStreamOptions) {
    this.#options = options;
    this.#link = new RedisLink({
      open: options.open,
      up: (client) => {
        const { stream } = options;
        const counts = () => queries === this.#queries;
        const queries = new StreamQueries({ client, stream, counts });
        this.#queries = queries;
        this.#read(queries);
      },
      down: (reason) => {
        clearTimeout(this.#retryTimer);
        this.#queries = undefined;
        this.#fail(reason);
      },
      random: options.random,
    });
    this.#watch = new StreamWatch({
      ask: options.ask,
      stream: options.stream,
      reader: () => ({
        last: this.#last,
        isAnchored: this.#isAnchored,
        isFilled: this.#isFilled,
      }),
      doubtful: () => this.#isInDoubt = true,
      blind: (reason) => this.#fail(reason),
      deaf: (reason, stuck) => {
        this.#fail(reason);
        // One that moves is only slow, and building it anew would make it slower.
        if (stuck) this.#link.reset(reason);
      },
    });
  }

  /** Undefined while the window is filled and the reader keeps up with the stream. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Reads, and goes on doing so. */
  start(): void {
    this.#link.start();
    this.#watch.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]();
    await this.#link[Symbol.asyncDispose]();
  }

  async #read(queries: StreamQueries): Promise<void> {
    try {
      if (this.#tail === undefined) await this.#begin(queries);
      await this.#catchUp(queries);
      this.#fill();
      while (queries === this.#queries) {
        this.#succeed();
        if (this.#isInDoubt) await this.#recheck(queries);
        await this.#next(queries);
      }
    } catch (error) {
      if (queries !== this.#queries) return;
      const { name, message } = error as Error;
      if (name !== "ReplyError") {
        this.#page = Math.max(SMALLEST_PAGE, this.#page >> 2);
        return this.#link.reset(message);
      }
      // An answer that is an error (WRONGTYPE) is no fault of the connection.
      this.#fail(message);
      this.#retryTimer = setTimeout(() => this.#read(queries), RETRY_MS);
    }
  }

  /** Finds where the window begins: at the last entry before it, so that nothing lies in between. */
  async #begin(queries: StreamQueries): Promise<void> {
    const { windowMs, listener } = this.#options;
    const tail = await queries.generated() ?? "0-0";
    const entry = await queries.lastBefore(await queries.time() - windowMs);
    this.#tail = tail;
    if (!entry) return;
    this.#last = entry[0];
    this.#isAnchored = true;
    listener.entry(entry[0], envelopeOf(entry), true);
  }

  /** Reads all that there is by now, from the last entry inclusive. */
  async #catchUp(queries: StreamQueries): Promise<void> {
    // Where nothing was there before, a full page may not begin with the first that came.
    let isBlind = this.#isFilled && !this.#isAnchored;
    for (;;) {
      const count = this.#page;
      const from = this.#isAnchored ? this.#last : `(${this.#last}`;
      const page = await queries.range(from, count);
      const isFull = page.length === count;
      if (this.#isAnchored && page.shift()?.[0] !== this.#last) {
        await this.#skip(queries);
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
  async #next(queries: StreamQueries): Promise<void> {
    const entries = await queries.next(this.#last, LIVE_PAGE, BLOCK_MS);
    if (entries.length === LIVE_PAGE) await this.#catchUp(queries);
    else this.#handOver(entries);
  }

  async #recheck(queries: StreamQueries): Promise<void> {
    this.#isInDoubt = false;
    if (!this.#isAnchored) await this.#skip(queries);
    await this.#catchUp(queries);
  }

  /** The last entry is gone: says so, unless nothing came after it, and goes on with what there is. */
  async #skip(queries: StreamQueries): Promise<void> {
    const [next] = await queries.range(`(${this.#last}`, 1);
    if (next) return this.#jump(idBefore(next[0]));
    const generated = await queries.generated();
    const hadNone = !this.#isAnchored && generated === undefined;
    this.#isAnchored = false;
    if (hadNone || generated === this.#last) return;
    // Where there is no stream, the next one begins now: whatever a client saw lies before.
    this.#jump(generated ?? idBefore(`${await queries.time()}-0`));
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

  #succeed(): void {
    this.#link.settle();
    this.#page = PAGE;
    if (this.#watch.isTrailing(this.#last)) return;
    this.#trouble = undefined;
    this.#options.proven();
  }

  #fail(reason: string): void {
    this.#trouble = reason;
    this.#options.failed(reason);
  }
}

/** The text of an entry: empty where it has no such field, so that it is counted as malformed. */
function envelopeOf([, fields]: Entry): string {
  for (let at = 0; fields && at < fields.length; at += 2) {
    if (fields[at] === FIELD) return fields[at + 1] ?? "";
  }
  return "";
}
