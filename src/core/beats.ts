/** More are not kept: with one node they reach back for eight hours, with ten for fifty minutes. */
const MAX_BEATS = 10_000;

/** Where a beat was heard. */
export interface Milestone {
  /** The number of the channel's messages before it. */
  readonly heard: number;
  /** The number of the envelope, of either source, that came next. */
  readonly number: number;
}

/** Where the beats lie among the channel's messages: the milestones that all nodes share. */
export class Beats {
  readonly #milestones = new Map<string, Milestone>();

  /** The number of beats that are kept. */
  get size(): number {
    return this.#milestones.size;
  }

  /** Notes where a beat was heard. */
  add(id: string, milestone: Milestone): void {
    this.#milestones.set(id, milestone);
  }

  /** Where a beat was heard; undefined where it is not known. */
  get(id: string): Milestone | undefined {
    return this.#milestones.get(id);
  }

  /** Forgets what is too much, and what names only places before the first `lost` messages. */
  trim(lost: number): void {
    let oldest: string | undefined;
    for (const [id, { heard }] of this.#milestones) {
      if (heard >= lost && this.#milestones.size <= MAX_BEATS) return;
      // The places up to the next beat are named after the one before.
      if (oldest !== undefined) this.#milestones.delete(oldest);
      oldest = id;
    }
  }

  /** Forgets all of them: behind a break they are no milestones. */
  clear(): void {
    this.#milestones.clear();
  }
}
