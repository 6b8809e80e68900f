import { hashName, isNameAt, type NameHash, readNames, walkNames } from "./recipient_scan.ts";

/** A posting is a double: the hash of a name, and behind it where the name stands. */
const POSITION_BITS = 29;
const POSITIONS = 2 ** POSITION_BITS;
const HASH_BITS = 53 - POSITION_BITS;
/** What a segment takes besides its postings, in about bytes. */
const OVERHEAD = 256;

/** About how many nanoseconds things take: what a slice of work is measured by, as no clock is here. */
const NS = { entry: 500, posting: 200, walkedCharacter: 2, readCharacter: 20, search: 150 };

/** The recipients that a client hears for, with their hashes. */
export interface RecipientQuery {
  readonly names: readonly string[];
  readonly hashes: readonly number[];
}

/** What is asked for, with the hashes of `seed`. */
export function queryOf(names: readonly string[], seed: number): RecipientQuery {
  const hash = { seed, bits: HASH_BITS };
  return { names, hashes: names.map((name) => hashName(name, hash)) };
}

/** The text of an envelope, by its number. */
export type TextOf = (number: number) => string;

/** Collects the postings of envelopes in a row. */
export class SegmentBuilder {
  readonly #first: number;
  readonly #hash: NameHash;
  readonly #postings: number[] = [];
  readonly #bases = [0];
  readonly #everyone: number[] = [];
  #work = 0;

  /** @param first the number of the envelope that comes first */
  constructor(first: number, seed: number) {
    this.#first = first;
    this.#hash = { seed, bits: HASH_BITS };
  }

  /** The number of the next envelope. */
  get end(): number {
    return this.#first + this.#bases.length - 1;
  }

  /** The work that it takes, in about nanoseconds. */
  get work(): number {
    return this.#work;
  }

  /** Whether an envelope of so many characters can be added. */
  hasRoom(length: number): boolean {
    return this.#bases.at(-1)! + length < POSITIONS;
  }

  /** Adds the next envelope. */
  add(text: string, maxBytes: number): void {
    const base = this.#bases.at(-1)!;
    const postings = this.#postings;
    const before = postings.length;
    const hash = this.#hash;
    const found = (hash: number, offset: number) => {
      postings.push(hash * POSITIONS + base + offset);
    };
    let walked = walkNames(text, hash, found);
    if (walked === undefined) {
      walked = 0;
      postings.length = before;
      if (readNames(text, { hash, maxBytes }, found)) this.#everyone.push(this.end);
      this.#work += NS.readCharacter * text.length;
    }
    this.#bases.push(base + text.length);
    this.#work += NS.entry + NS.posting * (postings.length - before) + NS.walkedCharacter * walked;
  }

  /** The segment of what was added. */
  build(): IndexSegment {
    return new IndexSegment(this.#first, {
      postings: Float64Array.from(this.#postings).sort(),
      bases: Uint32Array.from(this.#bases),
      everyone: this.#everyone,
    });
  }
}

interface SegmentParts {
  /** In ascending order, so that the postings of one name stand together, the oldest first. */
  readonly postings: Float64Array;
  /** By envelope, how many characters those before it have; and how many all have. */
  readonly bases: Uint32Array;
  /** The numbers of the envelopes for everyone. */
  readonly everyone: readonly number[];
}

/** Which of some envelopes in a row are for whom. It never changes, and is forgotten as a whole. */
export class IndexSegment {
  /** The number of the first of its envelopes. */
  readonly first: number;
  readonly #parts: SegmentParts;

  /** For {@link SegmentBuilder} and {@link IndexSegment.merge} alone. */
  constructor(first: number, parts: SegmentParts) {
    this.first = first;
    this.#parts = parts;
  }

  /** The number behind its last envelope. */
  get end(): number {
    return this.first + this.#parts.bases.length - 1;
  }

  /** How many postings and envelopes it has. */
  get size(): number {
    return this.#parts.postings.length + this.#parts.bases.length;
  }

  /** What it takes, in about bytes. */
  get bytes(): number {
    const { postings, bases, everyone } = this.#parts;
    return OVERHEAD + 8 * postings.length + 4 * bases.length + 8 * everyone.length;
  }

  /** The names in it, repeated ones too. */
  get postings(): number {
    return this.#parts.postings.length;
  }

  /** One segment of this one and `next`, which follows it; undefined where their texts are too long. */
  merge(next: IndexSegment): IndexSegment | undefined {
    const [a, b] = [this.#parts, next.#parts];
    const length = a.bases.at(-1)!;
    if (length + b.bases.at(-1)! >= POSITIONS) return undefined;
    const bases = new Uint32Array(a.bases.length + b.bases.length - 1);
    bases.set(a.bases);
    for (let i = 1; i < b.bases.length; i++) bases[a.bases.length - 1 + i] = length + b.bases[i]!;
    const everyone = [...a.everyone, ...b.everyone];
    return new IndexSegment(this.first, { postings: mergeShifted(a, b, length), bases, everyone });
  }

  /**
   * The numbers of its envelopes from `from` on that are for any of those asked for or for everyone:
   * ascending, each once.
   */
  *find(query: RecipientQuery, from: number, textOf: TextOf): Generator<number> {
    const { everyone } = this.#parts;
    const names = query.names.map((name, i) => this.#namePostings(name, query.hashes[i]!, from))
      .filter((each) => each !== undefined);
    let nextForAll = lowerBound(everyone, from);
    for (;;) {
      let lowest = everyone[nextForAll] ?? Infinity;
      for (const { number } of names) lowest = Math.min(lowest, number);
      if (lowest === Infinity) return;
      let isFound = everyone[nextForAll] === lowest;
      if (isFound) nextForAll++;
      for (const postings of names) {
        while (postings.number === lowest) {
          isFound ||= isNameAt(textOf(lowest), postings.offset, postings.name);
          this.#advance(postings);
        }
      }
      if (isFound) yield lowest;
    }
  }

  #namePostings(name: string, hash: number, from: number): NamePostings | undefined {
    const { postings, bases } = this.#parts;
    const base = bases[Math.max(0, from - this.first)]!;
    const at = lowerBound(postings, hash * POSITIONS + base) - 1;
    const found = { name, at, end: (hash + 1) * POSITIONS, number: 0, offset: 0 };
    this.#advance(found);
    return found.number === Infinity ? undefined : found;
  }

  #advance(found: NamePostings): void {
    const { postings, bases } = this.#parts;
    const posting = postings[++found.at] ?? Infinity;
    if (posting >= found.end) {
      found.number = Infinity;
      return;
    }
    const position = posting % POSITIONS;
    // An empty text has no name, so the last of the envelopes that begin here is the one.
    const index = lowerBound(bases, position + 1) - 1;
    found.number = this.first + index;
    found.offset = position - bases[index]!;
  }
}

/** Work of looking for so many names in a segment, in about nanoseconds. */
export function searchWork(names: number): number {
  return NS.search * (names + 1);
}

/** Where a walk over the postings of one name is. */
interface NamePostings {
  readonly name: string;
  at: number;
  /** No posting of the name is as high. */
  readonly end: number;
  /** The envelope, `Infinity` behind the last. */
  number: number;
  /** Where the name stands in its text. */
  offset: number;
}

/** The index of the first value that is not below `least`. */
function lowerBound(values: ArrayLike<number>, least: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = low + high >>> 1;
    if (values[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The postings of both in order; those of `b` stand `by` characters further on. */
function mergeShifted(a: SegmentParts, b: SegmentParts, by: number): Float64Array {
  const merged = new Float64Array(a.postings.length + b.postings.length);
  let [i, j] = [0, 0];
  for (let to = 0; to < merged.length; to++) {
    const left = a.postings[i] ?? Infinity;
    const right = (b.postings[j] ?? Infinity) + by;
    if (left < right) {
      merged[to] = left;
      i++;
    } else {
      merged[to] = right;
      j++;
    }
  }
  return merged;
}
