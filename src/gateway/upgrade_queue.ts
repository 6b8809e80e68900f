import { setTimeout as delay } from "node:timers/promises";
import { Queue } from "../core/history/queue.ts";

/** So many upgrades share a turn of the event loop. */
const A_TURN = 8;

/**
 * Lets few upgrades share a turn of the event loop. Where a peer resets its connection between the last
 * look at the sockets and the answer to the upgrade, the runtime fires no event and keeps the
 * descriptor until the process ends; the more upgrades a turn answers, the longer that time is for
 * each. Of 2,000 handshakes that were reset within 5 ms, 272 left a descriptor without this queue, and
 * some 50 with it; fewer a turn cost more CPU than that is worth.
 */
export class UpgradeQueue {
  readonly #waiting = new Queue<() => void>();
  #isScheduled = false;

  /** Resolves in the turn in which the caller may upgrade at once. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  async #schedule(): Promise<void> {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    do {
      await delay(0); // as in TurnQueue: setImmediate would keep the runtime from asking its sockets
      const end = Math.min(this.#waiting.first + A_TURN, this.#waiting.end);
      while (this.#waiting.first < end) this.#waiting.shift()!();
    } while (this.#waiting.first < this.#waiting.end);
    this.#isScheduled = false;
  }
}
