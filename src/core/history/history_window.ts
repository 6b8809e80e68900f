import type { ServerMessage } from "../server_event.ts";
import { EventCache } from "./event_cache.ts";
import { type EntryRun, HistoryEntry } from "./history_entry.ts";
import type { RecipientQuery } from "./index_segment.ts";
import { Queue } from "./queue.ts";
import { RecipientIndex, type Search } from "./recipient_index.ts";

export interface HistoryWindowOptions {
  /** How long an envelope is kept, in milliseconds, to about one. */
  readonly maxAgeMs: number;
  /** How much is kept, in about bytes: of envelopes, and of what finds them. */
  readonly maxBytes: number;
  /** The largest message taken, in bytes of UTF-8. */
  readonly maxMessageBytes: number;
  /** An integer that no client knows: names whose hashes are equal would cost much. */
  readonly hashSeed: number;
  /** A replay's read goes on no longer, but for what one envelope takes, in about nanoseconds. */
  readonly maxReadWork?: number;
}

/** What an envelope takes besides its text, in about bytes. */
const OVERHEAD = 256;
/** So much of the window is for events that were replayed. */
const CACHE_SHARE = 1 / 8;
/** A read of some 3 ms leaves room for others in a turn of the event loop, and for slower machines. */
const MAX_READ_WORK = 3_000_000;
/** About how many nanoseconds it takes to read a character of an envelope, or to look an event up. */
const NS = { readCharacter: 20, event: 300 };

/**
 * The last envelopes of both sources, in the order in which this node heard them, and numbered so.
 *
 * Each one is kept as its text alone, and what a run of them has in common stands in one place: the
 * garbage collector moves all that is kept twice, and marks it often, which costs more than all else
 * that is done with a message.
 *
 * They are indexed by recipient when a client resumes, a slice at a time, and only where it needs them: a
 * node where no client resumes reads no envelope but for those that are connected.
 */
export class HistoryWindow {
  readonly #options: HistoryWindowOptions;
  readonly #texts = new Queue<string>();
  readonly #runs = new Queue<EntryRun>();
  #newest: EntryRun | undefined;
  readonly #index: RecipientIndex;
  readonly #events: EventCache;
  #textBytes = 0;
  #readingWork = 0;
  /** The run of the envelope just before the first. */
  #lost: EntryRun | undefined;

  constructor(options: HistoryWindowOptions) {
    this.#options = options;
    this.#events = new EventCache(options.maxBytes * CACHE_SHARE);
    const texts = this.#texts;
    const envelopes = {
      get first(): number {
        return texts.first;
      },
      get end(): number {
        return texts.end;
      },
      textOf: (number: number): string => texts.at(number) ?? "",
      maxMessageBytes: options.maxMessageBytes,
    };
    this.#index = new RecipientIndex(envelopes, options.hashSeed);
  }

  /** The number of the oldest envelope that is here. */
  get first(): number {
    return this.#texts.first;
  }

  /** The number of the next envelope. */
  get end(): number {
    return this.#texts.end;
  }

  /** When the oldest envelope that is here was heard, in milliseconds of the history's clock. */
  get oldestAt(): number | undefined {
    return this.#runs.at(this.#runs.first)?.at;
  }

  /** What is kept, in about bytes: envelopes, their index, and events that were replayed. */
  get bytes(): number {
    return this.#textBytes + this.#index.bytes + this.#events.bytes;
  }

  /** A replay's read goes on no longer, but for what one envelope takes: see `work`. */
  get maxReadWork(): number {
    return this.#options.maxReadWork ?? MAX_READ_WORK;
  }

  /** The names in the index: as many as its envelopes have recipients. */
  get postings(): number {
    return this.#index.postings;
  }

  /**
   * The work that was done so far to index envelopes and to find and read them, in about nanoseconds. It is
   * counted, not timed: by it a caller sees when it has done enough for one turn.
   */
  get work(): number {
    return this.#readingWork + this.#index.work;
  }

  /** The envelope just before the first, where it was, without what it said. */
  get lost(): HistoryEntry | undefined {
    return this.#lost && new HistoryEntry(this.#lost, this.first - 1, "");
  }

  /** Adds the text of an envelope, which belongs to the last run or begins another. */
  push(run: EntryRun, text: string): void {
    if (run !== this.#newest) this.#runs.push(this.#newest = run);
    this.#texts.push(text);
    this.#textBytes += sizeOf(text);
  }

  /** Forgets what is too old at `now` or too much; amortised constant time an envelope. */
  trim(now = -Infinity): void {
    const { maxAgeMs, maxBytes } = this.#options;
    const since = now - maxAgeMs;
    const { first } = this;
    for (;;) {
      const run = this.#runs.at(this.#runs.first);
      if (run === undefined || (run.at >= since && this.bytes <= maxBytes)) break;
      this.#shift(run);
    }
    if (this.first !== first) this.#index.trim();
    if (this.first === this.end) this.#events.clear();
  }

  /** The envelope with that number; undefined when it is not here. */
  at(number: number): HistoryEntry | undefined {
    const text = this.#texts.at(number);
    return text === undefined ? undefined : this.#entry(number, text);
  }

  /** The number of the first envelope for which `isBefore` is false, as it is for all behind it. */
  search(isBefore: (entry: HistoryEntry) => boolean): number {
    return this.#texts.search((_, number) => isBefore(this.#entry(number, "")));
  }

  /** What `find` asks for these recipients, who are distinct. */
  query(recipients: readonly string[]): RecipientQuery {
    return this.#index.query(recipients);
  }

  /**
   * Lets the index hold the envelope `from`, and by about so much work those behind it. What the index
   * then takes may push the oldest envelopes out.
   */
  index(from: number, work: number): void {
    this.#index.extend(Math.max(from, this.first), work);
    this.trim();
  }

  /** Some of the envelopes from `from` on that are for those asked for: what one segment has. */
  find(query: RecipientQuery, from: number): Search {
    return this.#index.search(query, Math.max(from, this.first));
  }

  /**
   * The event of the envelope `number`, which is here: the same one for every caller of about one time.
   * Undefined where the envelope turns out to be malformed.
   */
  event(number: number): ServerMessage | undefined {
    this.#readingWork += NS.event;
    const known = this.#events.get(number);
    if (known !== undefined) return known;
    const text = this.#texts.at(number)!;
    this.#readingWork += NS.readCharacter * text.length;
    const delivery = this.#entry(number, text).read();
    if (typeof delivery !== "string") {
      this.#events.add(number, delivery.event);
      return delivery.event;
    }
    // It must not be read again for each client whom it names.
    this.#textBytes += sizeOf("") - sizeOf(text);
    this.#texts.set(number, "");
    return undefined;
  }

  #entry(number: number, text: string): HistoryEntry {
    const next = this.#runs.search(({ first }) => first <= number);
    return new HistoryEntry(this.#runs.at(next - 1)!, number, text);
  }

  /** Forgets the oldest envelope, which is of `run`. */
  #shift(run: EntryRun): void {
    this.#textBytes -= sizeOf(this.#texts.shift()!);
    this.#lost = run;
    const next = this.#runs.at(this.#runs.first + 1);
    if ((next?.first ?? this.end) > this.first) return;
    this.#runs.shift();
    if (next === undefined) this.#newest = undefined;
  }
}

function sizeOf(text: string): number {
  return text.length * 2 + OVERHEAD;
}
