import { setTimeout as delay } from "node:timers/promises";

/** So long a request works in one turn of the event loop, in milliseconds. */
const SLICE_MS = 8;

/**
 * Cuts the work that one request asks for, however large it is, so that nothing else waits long.
 *
 * @example
 * ```ts
 * const slices = new WorkSlices();
 * for (let n = 0; n < 1_000; n++) {
 *   if (slices.isOver) await slices.turn();
 *   JSON.parse("[]");
 * }
 * ```
 */
export class WorkSlices {
  #began = performance.now();

  /** Whether this turn has had its share. */
  get isOver(): boolean {
    return performance.now() - this.#began > SLICE_MS;
  }

  /** Resolves in a later turn, when sockets and timers had theirs: setImmediate would not ask them. */
  async turn(): Promise<void> {
    await delay(0);
    this.#began = performance.now();
  }
}
