import type { Envelope } from "./envelope.ts";
import { Queue } from "./queue.ts";
import { RecipientIndex } from "./recipient_index.ts";

export interface WindowOptions {
  /** How long an envelope is kept, in milliseconds. */
  readonly maxAgeMs: number;
  /** How much is kept, in about bytes. */
  readonly maxBytes: number;
}

/**
 * The last envelopes of both sources, in the order in which this node heard them, and numbered so.
 *
 * They are indexed by recipient when somebody looks for some, and only as far back as he looks: a
 * node where nobody resumes reads no envelope but for those who are connected.
 */
export class Window {
  readonly #options: WindowOptions;
  readonly #envelopes = new Queue<Envelope>();
  readonly #index = new RecipientIndex();
  /** The envelopes in the index: from the first of these numbers up to the second, without it. */
  #indexed = { from: 0, to: 0 };
  #bytes = 0;
  #lost: Envelope | undefined;

  constructor(options: WindowOptions) {
    this.#options = options;
  }

  /** The number of the oldest envelope that is here. */
  get first(): number {
    return this.#envelopes.first;
  }

  /** The number of the next envelope. */
  get end(): number {
    return this.#envelopes.end;
  }

  /** What is kept, in about bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The number of recipients in the index. */
  get recipients(): number {
    return this.#index.size;
  }

  /** The envelope just before the first, as it was. */
  get lost(): Envelope | undefined {
    return this.#lost;
  }

  /** Adds an envelope. Returns its number. */
  push(envelope: Envelope): number {
    this.#envelopes.push(envelope);
    this.#bytes += envelope.size;
    return this.end - 1;
  }

  /** Forgets what is too old at `now` or too much; amortised constant time an envelope. */
  trim(now: number): void {
    const { maxAgeMs, maxBytes } = this.#options;
    for (;;) {
      const oldest = this.at(this.first);
      if (oldest === undefined) return;
      if (oldest.at >= now - maxAgeMs && this.#bytes <= maxBytes) return;
      this.#lost = oldest;
      this.#bytes -= oldest.size;
      if (this.first >= this.#indexed.from && this.first < this.#indexed.to) {
        const delivery = oldest.read();
        if (typeof delivery !== "string") this.#index.removeOldest(delivery.recipients);
      }
      this.#envelopes.shift();
    }
  }

  /** The envelope with that number. */
  at(number: number): Envelope | undefined {
    return this.#envelopes.at(number);
  }

  /** The number of the first envelope for which `isBefore` is false, as it is for all behind it. */
  search(isBefore: (envelope: Envelope) => boolean): number {
    return this.#envelopes.search(isBefore);
  }

  /**
   * The numbers of the envelopes from `from` on that are for any of `recipients` or for everyone:
   * ascending, each once. To be used up in the same turn; the cost is that of what it finds.
   */
  numbers(recipients: readonly string[], from: number): Iterable<number> {
    this.#extend(Math.max(from, this.first));
    return this.#index.numbers(recipients, from);
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
