/**
 * The part of JSR's @std/testing/time that the tests use, for machines that do not reach JSR.
 * Elsewhere one line in deno.json ("@std/testing": "jsr:@std/testing@1") replaces it.
 */

/** Time was faked, restored or started in a way that makes no sense. */
export class TimeError extends Error {
  override name = "TimeError";
}

interface Timer {
  readonly id: number;
  readonly callback: (...args: unknown[]) => void;
  readonly args: readonly unknown[];
  readonly delay: number;
  readonly repeats: boolean;
  due: number;
}

const REAL = {
  Date: globalThis.Date,
  setTimeout: globalThis.setTimeout,
  clearTimeout: globalThis.clearTimeout,
  setInterval: globalThis.setInterval,
  clearInterval: globalThis.clearInterval,
};
type Globals = typeof REAL;

/** The one that is in force. */
let current: FakeTime | undefined;

/**
 * Replaces `Date`, `setTimeout`, `setInterval` and their clear functions until it is restored: time
 * stands still, and moves only by `tick` and its kin.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { FakeTime } from "@std/testing/time";
 *
 * using time = new FakeTime();
 * let calls = 0;
 * setTimeout(() => calls++, 1_000);
 * time.tick(999);
 * assertEquals(calls, 0);
 * time.tick(1);
 * assertEquals(calls, 1);
 * ```
 */
export class FakeTime {
  readonly #timers = new Map<number, Timer>();
  readonly #start: number;
  #now: number;
  #ids = 0;

  /**
   * @param start what `Date.now()` is at first, the real time by default
   * @throws {TimeError} when `start` is no time, or time is faked already
   */
  constructor(start?: number | string | Date | null) {
    this.#start = this.#now = start === undefined || start === null
      ? REAL.Date.now()
      : new REAL.Date(start).getTime();
    if (Number.isNaN(this.#start)) throw new TimeError("Cannot construct FakeTime: invalid start");
    if (current !== undefined) throw new TimeError("Cannot construct FakeTime: time is faked");
    current = this;
    Object.assign(globalThis, this.#globals());
  }

  /** The milliseconds since 1970. Setting it calls the timers that are due by then. */
  get now(): number {
    return this.#now;
  }

  set now(value: number) {
    if (value < this.#now) throw new RangeError("Cannot set current time in the past");
    for (let timer = this.#nextTimer(); timer && timer.due <= value; timer = this.#nextTimer()) {
      this.#now = Math.max(this.#now, timer.due);
      if (timer.repeats) timer.due += timer.delay;
      else this.#timers.delete(timer.id);
      timer.callback(...timer.args);
    }
    this.#now = value;
  }

  /** What `now` was at first. */
  get start(): number {
    return this.#start;
  }

  /** Moves time on by `ms`, and calls the timers that are due by then, in their order. */
  tick(ms = 0): void {
    this.now += ms;
  }

  /** As `tick`, after what is waiting for a turn of the event loop has run. */
  async tickAsync(ms = 0): Promise<void> {
    await this.runMicrotasks();
    this.now += ms;
  }

  /** Moves time on to the next timer. Returns false where there is none. */
  next(): boolean {
    const next = this.#nextTimer();
    if (next !== undefined) this.now = next.due;
    return next !== undefined;
  }

  /** As `next`, after what is waiting for a turn of the event loop has run. */
  async nextAsync(): Promise<boolean> {
    await this.runMicrotasks();
    return this.next();
  }

  /** Resolves when what was waiting for a turn of the event loop has run. */
  async runMicrotasks(): Promise<void> {
    await new Promise((resolve) => REAL.setTimeout(resolve, 0));
  }

  /**
   * Gives the real time back.
   * @throws {TimeError} when that was done
   */
  restore(): void {
    if (current !== this) throw new TimeError("Cannot restore time: time is already restored");
    current = undefined;
    Object.assign(globalThis, REAL);
  }

  [Symbol.dispose](): void {
    this.restore();
  }

  #globals(): Globals {
    // deno-lint-ignore no-this-alias -- Date's own `this` is another
    const time = this;
    const clear = (id?: number) => {
      if (id !== undefined) this.#timers.delete(id);
    };
    class FakeDate extends REAL.Date {
      static override now() {
        return time.#now;
      }
      constructor(...args: []) {
        super(...(args.length === 0 ? [time.#now] as unknown as [] : args));
      }
    }
    const set = (repeats: boolean) => (callback: Timer["callback"], ms = 0, ...args: unknown[]) =>
      this.#add({ callback, args, delay: ms, repeats });
    return {
      Date: FakeDate as unknown,
      setTimeout: set(false) as unknown,
      clearTimeout: clear,
      setInterval: set(true) as unknown,
      clearInterval: clear,
    } as Globals;
  }

  #add({ delay: ms, ...rest }: Omit<Timer, "id" | "due">): number {
    const delay = Math.max(rest.repeats ? 1 : 0, Math.floor(ms));
    const timer = { ...rest, id: ++this.#ids, delay, due: this.#now + delay };
    this.#timers.set(timer.id, timer);
    return timer.id;
  }

  /** The earliest; of several the one that was set first. */
  #nextTimer(): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (next === undefined || timer.due < next.due) next = timer;
    }
    return next;
  }
}
