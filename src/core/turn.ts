import { Link } from "./link.ts";

/** What is flushed at the end of the turn in which something was owed to it. */
export interface Flushable {
  flush(): void;
}

/**
 * One turn of the event loop: everything that connections are owed in it hangs on one chain, and
 * goes out when the turn ends. Afterwards nothing of it is kept.
 */
export class Turn {
  /** Where the chain of this turn begins. */
  root = Link.root();
  #owed: Flushable[] = [];
  readonly #atEnd: (flush: () => void) => void;

  /** @param atEnd calls its argument once at the end of this turn, such as `queueMicrotask` */
  constructor(atEnd: (flush: () => void) => void) {
    this.#atEnd = atEnd;
  }

  /** Flushes `outbox` when this turn ends. */
  owe(outbox: Flushable): void {
    if (this.#owed.push(outbox) === 1) this.#atEnd(() => this.#end());
  }

  #end(): void {
    const owed = this.#owed;
    this.#owed = [];
    this.root = Link.root();
    for (const outbox of owed) outbox.flush();
  }
}
