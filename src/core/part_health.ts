/** How one part of a node is. */
export interface PartHealth {
  /** One word: `channel`, `stream`, `writes`, `notices`, `store`. */
  readonly name: string;
  /** What is wrong, in one line without hosts, users and secrets; undefined while nothing is. */
  readonly reason: string | undefined;
  /** Since when it is well, or is not, in milliseconds since 1970. */
  readonly since: number;
}

/** Keeps how one part is, and since when. */
export class PartStatus implements PartHealth {
  readonly name: string;
  #reason: string | undefined;
  #since: number;

  /** @param reason what is wrong at first @param now in milliseconds since 1970 */
  constructor(name: string, { reason, now }: { reason?: string; now: number }) {
    this.name = name;
    this.#reason = reason;
    this.#since = now;
  }

  get reason(): string | undefined {
    return this.#reason;
  }

  get since(): number {
    return this.#since;
  }

  /** What is wrong at `now`. Another reason for the same trouble does not begin it anew. */
  set(reason: string | undefined, now: number): void {
    if ((reason === undefined) !== (this.#reason === undefined)) this.#since = now;
    this.#reason = reason;
  }
}
