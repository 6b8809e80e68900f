import { Queue } from "../core/history/queue.ts";

/** So much is done in one turn of the event loop, in milliseconds, and the last job of it. */
const SLICE_MS = 8;

/**
 * Work for many connections that no turn of the event loop has time for: it is done in order, a slice a
 * turn, and sockets and timers get their turn in between.
 */
export class TurnQueue {
  readonly #jobs = new Queue<() => void>();
  #spentMs = 0;
  #isScheduled = false;

  /** Does `job` now, or where this turn has done enough of them, as soon as there is time. */
  run(job: () => void): void {
    const { first, end } = this.#jobs;
    if (first === end && this.#spentMs < SLICE_MS) this.#do(job);
    else this.#jobs.push(job);
    this.#schedule();
  }

  /** Does `job` in a later turn. */
  later(job: () => void): void {
    this.#jobs.push(job);
    this.#schedule();
  }

  #do(job: () => void): void {
    const started = performance.now();
    job();
    this.#spentMs += performance.now() - started;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // A timer lets the runtime ask its sockets; with setImmediate in a row they waited for 0.4 s.
    setTimeout(() => {
      this.#isScheduled = false;
      this.#spentMs = 0;
      // What jobs add is for a turn behind this one.
      const { end } = this.#jobs;
      while (this.#jobs.first < end && this.#spentMs < SLICE_MS) this.#do(this.#jobs.shift()!);
      if (this.#jobs.first < this.#jobs.end) this.#schedule();
    }, 0);
  }
}
