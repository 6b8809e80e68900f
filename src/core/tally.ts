/** Counts by label, for the metrics. Every label is there from the start, so that 0 is seen. */
export class Tally<Label extends string | number> {
  readonly #counts = new Map<Label, number>();

  /** @param labels those that are known beforehand */
  constructor(labels: Iterable<Label> = []) {
    for (const label of labels) this.#counts.set(label, 0);
  }

  /** Counts one more, or `count`. */
  add(label: Label, count = 1): void {
    this.#counts.set(label, (this.#counts.get(label) ?? 0) + count);
  }

  /** The counts, by label. */
  get counts(): ReadonlyMap<Label, number> {
    return this.#counts;
  }
}
