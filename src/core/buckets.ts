/** Counts values by size, as a histogram of Prometheus does: plain numbers, read at scrape time. */
export class Buckets {
  /** The upper bound of each bucket, ascending; the last bucket has none. */
  readonly bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  /** @param bounds ascending, in the unit of what is observed */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  /** How many values are at most as large as each bound. */
  get cumulative(): readonly number[] {
    let sum = 0;
    return this.#counts.map((count) => sum += count);
  }

  /** The sum of all values. */
  get sum(): number {
    return this.#sum;
  }

  /** How many values there were. */
  get count(): number {
    return this.#count;
  }

  /** Counts `value`; what is below 0, as clocks may differ, counts as 0. */
  observe(value: number): void {
    const counted = Math.max(0, value);
    const at = this.bounds.findIndex((bound) => counted <= bound);
    if (at >= 0) this.#counts[at]!++;
    this.#sum += counted;
    this.#count++;
  }
}
