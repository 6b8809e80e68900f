/** A connection that waits for capacity of its sink. */
export interface BlockedWriter {
  /** What was handed over to the sink so far. */
  readonly sent: number;
  /** Hands over what fits, and has itself added again where something is left. */
  drain(): void;
}

/** How soon, and how late at most, a connection is tried again, in milliseconds. */
const FIRST_MS = 1;
const LAST_MS = 50;
/** So much is done in one turn of the event loop, in milliseconds; the clock is read once in so many. */
const SLICE_MS = 8;
const DRAINS_A_LOOK = 8;

/**
 * Tries connections again whose sinks had no capacity, as those do not signal when they have some:
 * soon while one of them takes what it is given, so that a client that reads is never too slow
 * because of a wait, and ever later while none does.
 */
export class WriteRetries implements Disposable {
  readonly #blocked = new Set<BlockedWriter>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Tries `connection` again, once. */
  add(connection: BlockedWriter): void {
    this.#blocked.add(connection);
    if (this.#timer === undefined) this.#retryAfter(FIRST_MS);
  }

  /** Forgets it. */
  delete(connection: BlockedWriter): void {
    this.#blocked.delete(connection);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #retryAfter(ms: number): void {
    this.#timer = setTimeout(() => {
      const blocked = [...this.#blocked];
      const before = sentTo(blocked);
      const until = performance.now() + SLICE_MS;
      for (const [index, connection] of blocked.entries()) {
        // Those that there is no time for stand before those that wait again.
        if (index % DRAINS_A_LOOK === 0 && performance.now() >= until) break;
        this.#blocked.delete(connection);
        connection.drain();
      }
      this.#timer = undefined;
      if (this.#blocked.size === 0) return;
      const moves = sentTo(blocked) > before;
      this.#retryAfter(moves ? FIRST_MS : Math.min(ms * 2, LAST_MS));
    }, ms);
  }
}

function sentTo(connections: readonly BlockedWriter[]): number {
  return connections.reduce((sum, { sent }) => sum + sent, 0);
}
