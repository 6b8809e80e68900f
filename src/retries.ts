/** A connection that waits for room in its sink. */
export interface Waiting {
  /** What was handed over to the sink so far. */
  readonly sent: number;
  /** Hands over what fits, and has itself added again where something is left. */
  drain(): void;
}

/** How soon, and how late at most, a connection is tried again, in milliseconds. */
const FIRST_MS = 1;
const LAST_MS = 50;

/**
 * Tries connections again whose sinks had no room, as those do not say when they have some: soon
 * while one of them takes what it is given, so that whoever reads is never too slow because of a
 * wait, and ever later while none does.
 */
export class Retries implements Disposable {
  readonly #waiting = new Set<Waiting>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Tries `connection` again, once. */
  add(connection: Waiting): void {
    this.#waiting.add(connection);
    if (this.#timer === undefined) this.#retryAfter(FIRST_MS);
  }

  /** Forgets it. */
  delete(connection: Waiting): void {
    this.#waiting.delete(connection);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #retryAfter(ms: number): void {
    this.#timer = setTimeout(() => {
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      const before = sentTo(waiting);
      for (const connection of waiting) connection.drain();
      this.#timer = undefined;
      if (this.#waiting.size === 0) return;
      const moves = sentTo(waiting) > before;
      this.#retryAfter(moves ? FIRST_MS : Math.min(ms * 2, LAST_MS));
    }, ms);
  }
}

function sentTo(connections: readonly Waiting[]): number {
  return connections.reduce((sum, { sent }) => sum + sent, 0);
}
