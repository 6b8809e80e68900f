import { setTimeout as delay } from "node:timers/promises";
import { Queue } from "../core/history/queue.ts";

/** So many upgrades share a turn of the event loop. */
const A_TURN = 8;

/**
 * Lets few upgrades share a turn of the event loop. Where a peer goes between the upgrade and its
 * answer, the runtime fires neither `open` nor `close` and keeps the descriptor for ever; the more
 * upgrades it has to answer at once, the longer that time is for each. Of 600 handshakes at once that
 * were aborted within 60 ms, 60 to 500 left a descriptor where all that were due had one turn, and 3 to
 * 5 where eight had; fewer a turn cost more CPU than that is worth.
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
