import { createHash } from "node:crypto";

/** How long a repeat under the same idempotency key is known, in milliseconds. */
export const IDEMPOTENCY_MS = 300_000;

/** Hashes a text, so that names and what is kept of bodies have one short form: base64url. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** What was published under one idempotency key. */
interface Published {
  readonly hash: string;
  readonly id: string | undefined;
  readonly at: number;
}

/** What a single node remembers of idempotency keys, for as long as they count. */
export class MemoryIdempotency {
  readonly #now: () => number;
  readonly #published = new Map<string, Published>();

  /** @param now a clock in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * What `publish` returns, or returned when it was called under this key first.
   * @returns undefined when another envelope was published under it
   */
  once(
    key: string,
    envelope: string,
    publish: () => string | undefined,
  ): { id: string | undefined } | undefined {
    this.#forgetOld();
    const hash = sha256(envelope);
    const earlier = this.#published.get(key);
    if (earlier !== undefined) return earlier.hash === hash ? { id: earlier.id } : undefined;
    const id = publish();
    this.#published.set(key, { hash, id, at: this.#now() });
    return { id };
  }

  /** They stand in the order in which they came. */
  #forgetOld(): void {
    const oldest = this.#now() - IDEMPOTENCY_MS;
    for (const [key, { at }] of this.#published) {
      if (at > oldest) return;
      this.#published.delete(key);
    }
  }
}
