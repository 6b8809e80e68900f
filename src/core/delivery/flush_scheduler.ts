import { BatchNode } from "./batch.ts";

/** What is flushed at the end of the turn in which something was owed to it. */
export interface Flushable {
  flush(): void;
}

/**
 * Flushes outboxes at the end of a turn of the event loop: everything that connections are owed in
 * that turn hangs on one chain, of which nothing is kept afterwards.
 */
export class FlushScheduler {
  #root = BatchNode.root();
  #scheduled: Flushable[] = [];
  readonly #atEnd: (flush: () => void) => void;

  /** @param atEnd calls its argument once at the end of this turn, such as `queueMicrotask` */
  constructor(atEnd: (flush: () => void) => void) {
    this.#atEnd = atEnd;
  }

  /** Where the chain of this turn begins. */
  get root(): BatchNode {
    return this.#root;
  }

  /** Flushes `outbox` when this turn ends. */
  schedule(outbox: Flushable): void {
    if (this.#scheduled.push(outbox) === 1) this.#atEnd(() => this.flush());
  }

  /** Flushes now what was scheduled so far. */
  flush(): void {
    const scheduled = this.#scheduled;
    if (scheduled.length === 0) return;
    this.#scheduled = [];
    this.#root = BatchNode.root();
    for (const outbox of scheduled) outbox.flush();
  }
}
