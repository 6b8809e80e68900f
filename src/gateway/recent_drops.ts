import type { Malformed } from "../core/malformed.ts";
import type { Source } from "../core/position.ts";

/** An envelope that was dropped: where it came from and why, and no more of it than an excerpt. */
export interface RecentDrop {
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly source: Source;
  /** The entry's id; of the channel the cursor. */
  readonly id: string;
  readonly reason: Malformed;
  /** How it begins; only at `LOG_LEVEL=debug`. */
  readonly excerpt?: string;
}

/** The last envelopes that were dropped, for operators. */
export class RecentDrops {
  readonly #drops: RecentDrop[] = [];
  readonly #capacity: number;

  constructor(capacity = 50) {
    this.#capacity = capacity;
  }

  /** The newest first. */
  get list(): readonly RecentDrop[] {
    return this.#drops.toReversed();
  }

  /** One was dropped. */
  add(drop: RecentDrop): void {
    if (this.#drops.length === this.#capacity) this.#drops.shift();
    this.#drops.push(drop);
  }
}
