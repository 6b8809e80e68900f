import { Buckets } from "../core/buckets.ts";

/** How often it is looked whether the event loop is late, in milliseconds. */
const EVERY_MS = 100;
const BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Measures how late the timers of this process are: so long a message may wait at worst. */
export class EventLoopDelay implements Disposable {
  /** How late timers were, in seconds. */
  readonly seconds = new Buckets(BOUNDS);
  readonly #timer: ReturnType<typeof setInterval>;

  constructor() {
    let due = performance.now() + EVERY_MS;
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.seconds.observe((now - due) / 1000);
      due = now + EVERY_MS;
    }, EVERY_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
