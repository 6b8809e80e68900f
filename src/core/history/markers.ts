/** As many are kept, however old: with one node they reach back for eight hours. */
const MIN_KEPT = 10_000;

/** Where a marker was heard. */
export interface Marker {
  /** How many of the channel's messages came before it. */
  readonly heard: number;
  /** The number of the entry, of either source, that came next. */
  readonly number: number;
  /** When it was heard, in milliseconds. */
  readonly at: number;
}

/**
 * Where the markers lie among the channel's messages: the places that all nodes share. Each node
 * numbers its own, `<node>-<count>`, so one that was heard before is known for what it is.
 */
export class Markers {
  readonly #maxAgeMs: number;
  readonly #markers = new Map<string, Marker>();
  /** The highest count of each node, and when it was heard. */
  readonly #counts = new Map<string, { count: number; at: number }>();

  /** @param maxAgeMs none that is younger is forgotten, however many there are, in milliseconds */
  constructor(maxAgeMs: number) {
    this.#maxAgeMs = maxAgeMs;
  }

  /** How many markers are kept. */
  get size(): number {
    return this.#markers.size;
  }

  /** Notes where a marker was heard. Returns false for one that was heard before. */
  add(id: string, marker: Marker): boolean {
    if (this.#markers.has(id) || this.#isRepeated(id, marker.at)) return false;
    this.#markers.set(id, marker);
    return true;
  }

  /** Where a marker was heard; undefined where that is not known. */
  get(id: string): Marker | undefined {
    return this.#markers.get(id);
  }

  /** Forgets at `now` what is too much, and what names only places before the first `lost` messages. */
  trim(lost: number, now: number): void {
    let oldest: string | undefined;
    for (const [id, { heard, at }] of this.#markers) {
      const isTooMuch = this.#markers.size > MIN_KEPT && now - at > this.#maxAgeMs;
      if (heard >= lost && !isTooMuch) return;
      // The places up to the next marker are named after the one before.
      if (oldest !== undefined) this.#markers.delete(oldest);
      oldest = id;
    }
  }

  /** Forgets all of them: behind a break they name no places. */
  clear(): void {
    this.#markers.clear();
  }

  #isRepeated(id: string, at: number): boolean {
    const [, node, digits] = /^(\w+)-([0-9a-z]{1,10})$/.exec(id) ?? [];
    if (node === undefined || digits === undefined) return false;
    const count = parseInt(digits, 36);
    if (count <= (this.#counts.get(node)?.count ?? -1)) return true;
    this.#counts.delete(node); // The order of the map is that of their last markers.
    this.#counts.set(node, { count, at });
    const [oldest] = this.#counts;
    if (this.#counts.size > MIN_KEPT && oldest !== undefined) this.#counts.delete(oldest[0]);
    return false;
  }
}
