import type { Clock } from "../../../src/presence/shard.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that goes on only when it is told to, from one event to the next. */
export class SimulatedClock implements Clock {
  #now = 0;
  #order = 0;
  /** A binary heap: the earliest first. */
  readonly #timers: Timer[] = [];

  now(): number {
    return this.#now;
  }

  after(ms: number, callback: () => void): () => void {
    let isCancelled = false;
    const timer = {
      at: this.#now + Math.max(0, ms),
      order: this.#order++,
      callback: () => isCancelled || callback(),
    };
    this.#push(timer);
    return () => isCancelled = true;
  }

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settleTasks();
    while (this.#timers.length > 0 && this.#timers[0]!.at <= end) {
      const timer = this.#pop();
      this.#now = timer.at;
      timer.callback();
      await settleTasks();
    }
    this.#now = end;
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    heap.push(timer);
    for (let at = heap.length - 1; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap[at]!, heap[parent]!)) break;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  #pop(): Timer {
    const heap = this.#timers;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && isBefore(heap[child]!, heap[least]!)) least = child;
      }
      if (least === at) return first;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at - other.at < 0 || (one.at === other.at && one.order < other.order);
}

/** Lets every promise go as far as it can without time passing. */
async function settleTasks(): Promise<void> {
  for (let at = 0; at < 40; at++) await null;
}
