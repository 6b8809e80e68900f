import { FakeTime } from "@std/testing/time";

/**
 * Time that moves only by `tick`, the monotonic clock included: `FakeTime`, as @std/testing has it,
 * leaves `performance.now` alone, by which all that waits here goes.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { FakeClock } from "./fake_clock.ts";
 *
 * using time = new FakeClock();
 * const start = performance.now();
 * time.tick(250);
 * assertEquals(performance.now() - start, 250);
 * ```
 */
export class FakeClock extends FakeTime {
  readonly #now = performance.now;

  constructor() {
    super();
    const real = performance.now();
    performance.now = () => real + this.now - this.start;
  }

  /** Gives the real time back. */
  override restore(): void {
    super.restore();
    performance.now = this.#now;
  }

  /** Moves time on by `ms` in steps of `step`, and lets promises run at each. */
  async pass(ms: number, step = 10): Promise<void> {
    for (let passed = 0; passed < ms; passed += step) {
      await this.runMicrotasks();
      this.tick(Math.min(step, ms - passed));
    }
    await this.runMicrotasks();
  }
}
