import { BatchNode } from "./batch.ts";

/** What is flushed at the end of the turn in which something was owed to it. */
export interface Flushable {
  flush(): void;
}

/** The event loop, as a scheduler needs it. */
export interface EventLoop {
  /** Calls its argument once at the end of this turn, such as `queueMicrotask`. */
  readonly atEnd: (flush: () => void) => void;
  /** Calls its argument once in a later turn, when sockets and timers had theirs. */
  readonly later: (flush: () => void) => void;
  /** A monotonic time, in milliseconds. */
  readonly now: () => number;
}

/** Flushing goes on in a later turn after that, in milliseconds. */
const SLICE_MS = 10;
/** The clock is read once in so many flushes, each of some ten microseconds. */
const FLUSHES_A_LOOK = 16;
/** So many writes in one turn are made at once, which takes some milliseconds. */
const MAX_WRITES_AT_ONCE = 500;

/**
 * Flushes outboxes at the end of a turn of the event loop: everything that connections are owed in
 * that turn hangs on one chain, of which nothing is kept afterwards.
 *
 * Where that takes long, the others wait for a later turn, in order. What they are owed meanwhile joins
 * what they are owed already, so each of them still gets one write.
 */
export class FlushScheduler {
  #root = BatchNode.root();
  #scheduled: Flushable[] = [];
  #isCalled = false;
  #isBehind = false;
  #writesAtOnce = 0;
  #flushes = 0;
  #flushed = 0;
  readonly #loop: EventLoop;

  constructor(loop: EventLoop) {
    this.#loop = loop;
  }

  /** Where the chain of this turn begins. */
  get root(): BatchNode {
    return this.#root;
  }

  /** Flushes `outbox` when this turn ends, or as soon after as there is time. */
  schedule(outbox: Flushable): void {
    this.#scheduled.push(outbox);
    this.#callAtEnd();
  }

  /** How often outboxes were flushed together, and how many those were in all. */
  get counts(): { readonly flushes: number; readonly flushed: number } {
    return { flushes: this.#flushes, flushed: this.#flushed };
  }

  /** Whether outboxes wait for a later turn. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /**
   * Whether an outbox that is owed nothing else may write now rather than be scheduled: so many may in one
   * turn.
   */
  mayWriteAtOnce(): boolean {
    this.#callAtEnd();
    return ++this.#writesAtOnce <= MAX_WRITES_AT_ONCE;
  }

  /** Flushes now what was scheduled so far, unless it waits for a later turn. */
  flush(): void {
    if (!this.#isBehind && this.#scheduled.length > 0) this.#flushSome();
  }

  #callAtEnd(): void {
    if (this.#isCalled) return;
    this.#isCalled = true;
    this.#loop.atEnd(() => {
      this.#isCalled = false;
      this.#writesAtOnce = 0;
      this.flush();
    });
  }

  #flushSome(): void {
    const { now, later } = this.#loop;
    const scheduled = this.#scheduled;
    this.#scheduled = [];
    this.#root = BatchNode.root();
    const until = now() + SLICE_MS;
    let flushed = 0;
    while (flushed < scheduled.length) {
      scheduled[flushed++]!.flush();
      if (flushed % FLUSHES_A_LOOK === 0 && now() >= until) break;
    }
    this.#flushes++;
    this.#flushed += flushed;
    this.#isBehind = flushed < scheduled.length;
    if (!this.#isBehind) return;
    this.#scheduled = scheduled.slice(flushed).concat(this.#scheduled);
    later(() => this.#flushSome());
  }
}
