import {
  type IndexSegment,
  queryOf,
  type RecipientQuery,
  searchWork,
  SegmentBuilder,
  type TextOf,
} from "./index_segment.ts";

/** Segments of more than that are not merged, so that merging them takes a millisecond at most. */
const MAX_SIZE = 65_536;
/** One of two that are merged at the end of what is indexed is at most so many times as large. */
const MAX_RATIO = 2;

/** What the index is made of. */
export interface IndexedEnvelopes {
  /** The number of the oldest envelope. */
  readonly first: number;
  /** The number of the next envelope. */
  readonly end: number;
  readonly textOf: TextOf;
  /** The largest envelope taken, in bytes of UTF-8. */
  readonly maxMessageBytes: number;
}

/** What a search finds. */
export interface Search {
  /** The envelopes that were looked at end before this one: the next is not in the index. */
  readonly end: number;
  /** Those that are for any of the recipients or for everyone: ascending, each once. */
  readonly numbers: Iterable<number>;
}

/**
 * Which envelopes are for whom, as far as it was asked: a patchwork of segments, each of some envelopes in
 * a row. Where a segment is missing, `extend` makes it, by so much work at a time.
 */
export class RecipientIndex {
  readonly #envelopes: IndexedEnvelopes;
  readonly #seed: number;
  /** In the order of their envelopes. */
  #segments: IndexSegment[] = [];
  #bytes = 0;
  #work = 0;

  /** @param seed of the hashes, which no client knows */
  constructor(envelopes: IndexedEnvelopes, seed: number) {
    this.#envelopes = envelopes;
    this.#seed = seed;
  }

  /** What it takes, in about bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The names in it, repeated ones too. */
  get postings(): number {
    return this.#segments.reduce((sum, { postings }) => sum + postings, 0);
  }

  /** The work that was done for it and in it so far, in about nanoseconds. */
  get work(): number {
    return this.#work;
  }

  /** What `search` asks for these recipients. */
  query(recipients: readonly string[]): RecipientQuery {
    return queryOf(recipients, this.#seed);
  }

  /** Takes up the envelope `from` and those behind it, one at least, by about so much work. */
  extend(from: number, work: number): void {
    const { end, textOf, maxMessageBytes } = this.#envelopes;
    const at = this.#locate(from);
    if (from >= end || this.#covers(at, from)) return;
    const until = Math.min(end, this.#segments[at + 1]?.first ?? Infinity);
    const builder = new SegmentBuilder(from, this.#seed);
    do {
      builder.add(textOf(builder.end), maxMessageBytes);
    } while (
      builder.end < until && builder.work < work && builder.hasRoom(textOf(builder.end).length)
    );
    this.#work += builder.work;
    this.#insert(builder.build(), at + 1);
  }

  /** Looks in the segment of the envelope `from`. The numbers are to be used up in the same turn. */
  search(query: RecipientQuery, from: number): Search {
    const at = this.#locate(from);
    const segment = this.#segments[at];
    if (segment === undefined || !this.#covers(at, from)) return { end: from, numbers: [] };
    this.#work += searchWork(query.names.length);
    const numbers = segment.find(query, from, this.#envelopes.textOf);
    return { end: segment.end, numbers };
  }

  /** Forgets the segments whose envelopes are all gone. */
  trim(): void {
    const { first } = this.#envelopes;
    const kept = this.#segments.findIndex(({ end }) => end > first);
    const gone = this.#segments.splice(0, kept < 0 ? this.#segments.length : kept);
    for (const { bytes } of gone) this.#bytes -= bytes;
  }

  /** The index of the last segment that begins at `number` or before it; -1 where there is none. */
  #locate(number: number): number {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = low + high >>> 1;
      if (this.#segments[middle]!.first <= number) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #covers(at: number, number: number): boolean {
    const segment = this.#segments[at];
    return segment !== undefined && number < segment.end;
  }

  /**
   * Puts a segment at its place, and merges it with neighbours that are not much larger: so each envelope
   * is moved a few times in all. Where it fills a gap, which happens once to each, it joins both.
   */
  #insert(segment: IndexSegment, at: number): void {
    this.#segments.splice(at, 0, segment);
    this.#bytes += segment.bytes;
    const isGap = this.#segments[at - 1]?.end === segment.first &&
      segment.end === this.#segments[at + 1]?.first;
    const ratio = isGap ? Infinity : MAX_RATIO;
    for (;;) {
      if (this.#merge(at - 1, at, ratio)) at--;
      else if (!this.#merge(at, at + 1, ratio)) return;
    }
  }

  /** Merges two segments unless they are too large, or one is more than `ratio` times the other. */
  #merge(left: number, right: number, ratio: number): boolean {
    const [a, b] = [this.#segments[left], this.#segments[right]];
    if (a === undefined || b === undefined || a.end !== b.first) return false;
    if (a.size + b.size > MAX_SIZE) return false;
    if (Math.max(a.size, b.size) > ratio * Math.min(a.size, b.size)) return false;
    // What is gone of a segment is forgotten with the rest of it.
    if (a.first < this.#envelopes.first) return false;
    const merged = a.merge(b);
    if (merged === undefined) return false;
    this.#bytes += merged.bytes - a.bytes - b.bytes;
    this.#segments.splice(left, 2, merged);
    return true;
  }
}
