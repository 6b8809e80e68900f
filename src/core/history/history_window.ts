import { type EntryRun, HistoryEntry } from "./history_entry.ts";
import { Queue } from "./queue.ts";
import { RecipientIndex } from "./recipient_index.ts";

export interface HistoryWindowOptions {
  /** How long an envelope is kept, in milliseconds, to about one. */
  readonly maxAgeMs: number;
  /** How much is kept, in about bytes. */
  readonly maxBytes: number;
}

/** An entry that was asked for, and what it takes, in about bytes. */
interface Found {
  readonly entry: HistoryEntry;
  readonly size: number;
}

/** What an envelope takes besides its text, in about bytes. */
const OVERHEAD = 256;

/**
 * The last envelopes of both sources, in the order in which this node heard them, and numbered so.
 *
 * Each one is kept as its text alone, and what a run of them has in common stands in one place: the
 * garbage collector moves all that is kept twice, and marks it often, which costs more than all else
 * that is done with a message.
 *
 * They are indexed by recipient when a client resumes, and only as far back as it needs: a node where
 * no client resumes reads no envelope but for those that are connected.
 */
export class HistoryWindow {
  readonly #options: HistoryWindowOptions;
  readonly #kept = new Queue<string | Found>();
  readonly #runs = new Queue<EntryRun>();
  #newest: EntryRun | undefined;
  readonly #index = new RecipientIndex();
  /** The envelopes in the index: from the first of these numbers up to the second, without it. */
  #indexed = { from: 0, to: 0 };
  #bytes = 0;
  /** The run of the envelope just before the first. */
  #lost: EntryRun | undefined;

  constructor(options: HistoryWindowOptions) {
    this.#options = options;
  }

  /** The number of the oldest envelope that is here. */
  get first(): number {
    return this.#kept.first;
  }

  /** The number of the next envelope. */
  get end(): number {
    return this.#kept.end;
  }

  /** What is kept, in about bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of recipients in the index. */
  get recipients(): number {
    return this.#index.size;
  }

  /** The envelope just before the first, where it was, without what it said. */
  get lost(): HistoryEntry | undefined {
    return this.#lost && new HistoryEntry(this.#lost, this.first - 1, "");
  }

  /** Adds the text of an envelope, which belongs to the last run or begins another. */
  push(run: EntryRun, text: string): void {
    if (run !== this.#newest) this.#runs.push(this.#newest = run);
    this.#kept.push(text);
    this.#bytes += sizeOf(text);
  }

  /** Forgets what is too old at `now` or too much; amortised constant time an envelope. */
  trim(now: number): void {
    const { maxAgeMs, maxBytes } = this.#options;
    const since = now - maxAgeMs;
    for (;;) {
      const run = this.#runs.at(this.#runs.first);
      if (run === undefined || (run.at >= since && this.#bytes <= maxBytes)) return;
      this.#shift(run);
    }
  }

  /** The envelope with that number: the same one for every caller. */
  at(number: number): HistoryEntry | undefined {
    const kept = this.#kept.at(number);
    if (typeof kept !== "string") return kept?.entry;
    const entry = this.#entry(number, kept);
    this.#kept.set(number, { entry, size: sizeOf(kept) });
    return entry;
  }

  /** The number of the first envelope for which `isBefore` is false, as it is for all behind it. */
  search(isBefore: (entry: HistoryEntry) => boolean): number {
    return this.#kept.search((_, number) => isBefore(this.#entry(number, "")));
  }

  /**
   * The numbers of the envelopes from `from` on that are for any of `recipients` or for everyone:
   * ascending, each once. To be used up in the same turn; the cost is that of what it finds.
   */
  numbers(recipients: readonly string[], from: number): Iterable<number> {
    this.#extend(Math.max(from, this.first));
    return this.#index.numbers(recipients, from);
  }

  #entry(number: number, text: string): HistoryEntry {
    const next = this.#runs.search(({ first }) => first <= number);
    return new HistoryEntry(this.#runs.at(next - 1)!, number, text);
  }

  /** Forgets the oldest envelope, which is of `run`. */
  #shift(run: EntryRun): void {
    const number = this.first;
    const kept = this.#kept.shift()!;
    this.#bytes -= typeof kept === "string" ? sizeOf(kept) : kept.size;
    if (number >= this.#indexed.from && number < this.#indexed.to && typeof kept !== "string") {
      const delivery = kept.entry.read();
      if (typeof delivery !== "string") this.#index.removeOldest(number, delivery.recipients);
    }
    this.#lost = run;
    const next = this.#runs.at(this.#runs.first + 1);
    if ((next?.first ?? this.end) > this.first) return;
    this.#runs.shift();
    if (next === undefined) this.#newest = undefined;
  }

  /** Lets the index hold what is there from `from` on. */
  #extend(from: number): void {
    const indexed = this.#indexed;
    if (indexed.to <= this.first) {
      indexed.from = indexed.to = from;
    } else if (from < indexed.from) {
      // It grows at one end, so it is made anew, twice as long at least: few do so in a row.
      this.#index.clear();
      indexed.from = Math.max(this.first, Math.min(from, 2 * indexed.from - this.end));
      indexed.to = indexed.from;
    }
    for (; indexed.to < this.end; indexed.to++) {
      const delivery = this.at(indexed.to)!.read();
      if (typeof delivery !== "string") this.#index.add(indexed.to, delivery.recipients);
    }
  }
}

function sizeOf(text: string): number {
  return text.length * 2 + OVERHEAD;
}
