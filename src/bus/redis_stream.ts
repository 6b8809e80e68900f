import { getLogger } from "@logtape/logtape";
import { LogLimiter, omittedText } from "../logging/rate_limited.ts";
import { idBefore } from "./id_before.ts";
import type { BusListener } from "./port.ts";
import type { RedisClient } from "../redis/connect_redis.ts";
import { RedisConnection } from "../redis/redis_connection.ts";
import { redisFault } from "../redis/redis_fault.ts";
import { RedisStreamState } from "./redis_stream_state.ts";
import { type Entry, RedisStreamQueries } from "./redis_stream_queries.ts";
import { RedisStreamWatch } from "./redis_stream_watch.ts";

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
  /** Called when a connection is over, with the reason. */
  readonly onDown: (reason: string) => void;
  /** Called when a read has succeeded: all is well. */
  readonly onHealthy: () => void;
  /** Called when the stream cannot be read, or is not heard, with a reason. */
  readonly onError: (reason: string) => void;
  /** From 0 to below 1, for the waits between attempts. */
  readonly random: () => number;
}

const log = getLogger(["keywire", "bus"]);
/** Lines about gaps are at least so far apart, in milliseconds. */
const LOG_EVERY_MS = 10_000;

const PAGE = 1_000;
const SMALLEST_PAGE = 16;
/**
 * A read that brings so many has perhaps skipped some. Where fewer than this are left besides, and
 * none was ever trimmed, the stream may be a new one. Both times it is read inclusively.
 */
const LIVE_PAGE = 100;
const BLOCK_MS = 2_000;
const RETRY_MS = 500;

/**
 * The reader of the stream: first its window, in pages, then what is added, as it is added. Where it
 * cannot know that it goes on from where it stood, it says so: it looks whether its last entry is
 * still there after every reconnect, whenever a read comes back full, and each second.
 */
export class RedisStream implements AsyncDisposable {
  readonly #options: RedisStreamOptions;
  readonly #connection: RedisConnection;
  readonly #watch: RedisStreamWatch;
  /** Of the connection that is up. */
  #queries: RedisStreamQueries | undefined;
  readonly #state = new RedisStreamState();
  /** How many entries are asked for at once: fewer after a page that did not come in time. */
  #page = PAGE;
  /** Whether few older entries were left when it was read last, so that the next read looks back. */
  #isShort = true;
  /** Whether the last entry was seen to be gone. */
  #needsRecheck = false;
  readonly #gapLines = new LogLimiter({ everyMs: LOG_EVERY_MS });
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RedisStreamOptions) {
    this.#options = options;
    this.#connection = new RedisConnection({
      open: options.open,
      up: (client) => {
        const { stream } = options;
        const counts = () => queries === this.#queries;
        const queries = new RedisStreamQueries({ client, stream, counts });
        this.#queries = queries;
        this.#read(queries);
      },
      down: (reason) => {
        clearTimeout(this.#retryTimer);
        this.#queries = undefined;
        options.onDown(reason);
        this.#fail(reason);
      },
      random: options.random,
    });
    this.#watch = new RedisStreamWatch({
      ask: options.ask,
      stream: options.stream,
      reader: this.#state,
      onTrimmed: () => this.#needsRecheck = true,
      onCheckFailed: (reason) => this.#fail(reason),
      onStalled: (reason, stuck) => {
        this.#fail(reason);
        // One that moves is only slow, and building it anew would make it slower.
        if (stuck) this.#connection.reset(reason);
      },
    });
  }

  /** How far the reader trailed the stream when that was last looked at, in seconds. */
  get lagSeconds(): number | undefined {
    return this.#watch.lagSeconds;
  }

  /** Builds the connection anew: it leads to another server than it should. */
  reset(reason: string): void {
    this.#connection.reset(reason);
  }

  /** Reads, and goes on doing so. */
  start(): void {
    this.#connection.start();
    this.#watch.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#watch[Symbol.dispose]();
    await this.#connection[Symbol.asyncDispose]();
  }

  async #read(queries: RedisStreamQueries): Promise<void> {
    try {
      if (this.#state.phase === "starting") await this.#begin(queries);
      await this.#catchUp(queries);
      this.#goLive();
      while (queries === this.#queries) {
        this.#succeed();
        if (this.#needsRecheck) await this.#recheck(queries);
        await this.#next(queries);
      }
    } catch (error) {
      if (queries !== this.#queries) return;
      const { code, reason } = redisFault(error);
      if ((error as Error).name !== "ReplyError" || code === "NOAUTH") {
        this.#page = Math.max(SMALLEST_PAGE, this.#page >> 2);
        return this.#connection.reset(reason);
      }
      // An answer that is an error (WRONGTYPE) is no fault of the connection.
      this.#fail(reason);
      this.#retryTimer = setTimeout(() => this.#read(queries), RETRY_MS);
    }
  }

  /** Finds where the window begins: at the last entry before it, so that nothing lies in between. */
  async #begin(queries: RedisStreamQueries): Promise<void> {
    const { windowMs, listener } = this.#options;
    const end = await queries.lastGeneratedId() ?? "0-0";
    const entry = await queries.lastBefore(await queries.time() - windowMs);
    this.#state.load(end, entry?.id);
    if (entry) listener.entry(entry.id, entry.text, true, entry.malformed);
  }

  /** Reads all that there is by now, from the last entry inclusive. */
  async #catchUp(queries: RedisStreamQueries): Promise<void> {
    // Where nothing was there before, a full page may not begin with the first that came.
    const state = this.#state;
    let isBlind = state.phase === "live" && !state.lastEntryKnown;
    for (;;) {
      const count = this.#page;
      const from = state.lastEntryKnown ? state.last : `(${state.last}`;
      const page = await queries.range(from, count);
      const isFull = page.length === count;
      if (state.lastEntryKnown && page.shift()?.id !== state.last) {
        await this.#skip(queries);
        continue;
      }
      const [first] = page;
      if (first && isFull && isBlind) this.#jump(idBefore(first.id));
      isBlind = false;
      this.#handOver(page);
      await this.#options.listener.ready();
      if (!isFull) return;
    }
  }

  /** Waits for what comes next. */
  async #next(queries: RedisStreamQueries): Promise<void> {
    const { last, lastEntryKnown } = this.#state;
    const looksBack = lastEntryKnown && this.#isShort;
    const limits = { count: LIVE_PAGE, blockMs: BLOCK_MS, looksBack };
    const { entries, length, goesOn } = await queries.next(last, limits);
    // Where many older ones are left, it is the stream that it was.
    this.#isShort = length - entries.length < LIVE_PAGE;
    const mayBeNew = entries.length > 0 && this.#isShort && !goesOn;
    const isDoubtful = entries.length === LIVE_PAGE || mayBeNew && await queries.holdsAllEver();
    if (isDoubtful) await this.#catchUp(queries);
    else {
      this.#handOver(entries);
      await this.#options.listener.ready();
    }
  }

  async #recheck(queries: RedisStreamQueries): Promise<void> {
    this.#needsRecheck = false;
    if (!this.#state.lastEntryKnown) await this.#skip(queries);
    await this.#catchUp(queries);
  }

  /** The last entry is gone: says so, unless nothing came after it, and goes on with what there is. */
  async #skip(queries: RedisStreamQueries): Promise<void> {
    const state = this.#state;
    const [next] = await queries.range(`(${state.last}`, 1);
    if (next) return this.#jump(idBefore(next.id));
    const lastGeneratedId = await queries.lastGeneratedId();
    const hadNone = !state.lastEntryKnown && lastGeneratedId === undefined;
    state.forgetEntry();
    if (hadNone || lastGeneratedId === state.last) return;
    // Where there is no stream, the next one begins now: whatever a client saw lies before.
    this.#jump(lastGeneratedId ?? idBefore(`${await queries.time()}-0`));
  }

  #jump(id: string): void {
    this.#state.jump(id);
    const { listener, stream } = this.#options;
    listener.gap("stream", id);
    const omitted = this.#gapLines.take();
    if (omitted === undefined) return;
    // Where Redis was there all the while, no other line tells of it.
    log.warning(
      "The stream {stream} was trimmed, deleted or replaced before all of it was read: clients are " +
        "told that entries may be lost{more}",
      { stream, more: omittedText(omitted) },
    );
  }

  #handOver(entries: readonly Entry[]): void {
    const { listener } = this.#options;
    for (const { id, text, malformed, traceparent } of entries) {
      const isPast = this.#state.isPast(id);
      if (!isPast) this.#goLive();
      this.#state.advance(id);
      listener.entry(id, text, isPast, malformed, traceparent);
    }
  }

  #goLive(): void {
    if (this.#state.goLive()) this.#options.listener.historyLoaded(this.#state.last);
  }

  #succeed(): void {
    this.#connection.resetBackoff();
    this.#page = PAGE;
    if (!this.#watch.isTrailing(this.#state.last)) this.#options.onHealthy();
  }

  #fail(reason: string): void {
    this.#options.onError(reason);
  }
}
