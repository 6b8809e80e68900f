/** How the connections are spread, as seen at one moment. */
export interface Spread {
  /** Which nodes are compared; their order does not matter. */
  readonly nodes: readonly string[];
  /** What all nodes have above their limits. */
  readonly excess: number;
  /** The connections of this node. */
  readonly own: number;
  /** The connections of all nodes. */
  readonly total: number;
  /** A monotonic clock, in milliseconds. */
  readonly now: number;
}

/** What a trial that failed had done, and what follows. */
export interface FailedTrial {
  /** How many clients were sent away. */
  readonly told: number;
  /** For how long none is sent away, in milliseconds. */
  readonly pauseMs: number;
}

/** A trial is judged when this part of the connections was sent away, and at least so many. */
const ENOUGH = 0.2;
const ENOUGH_CLIENTS = 3;
/** It failed when the excess has fallen by less than this part of what was sent away. */
const USEFUL = 0.25;
/** Numbers change by themselves: a trial that takes longer says nothing, in milliseconds. */
const OLD_MS = 600_000;
/** The first pause after a failed trial, and the longest, in milliseconds. */
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 1_800_000;

/**
 * Learns whether it is of use to send clients away. Behind a sticky balancer, or one that does not
 * reach the nodes that have few, the excess stays: that costs each client a connection, again and
 * again. So a fifth of the clients is a trial, and each one that fails doubles the pause.
 */
export class MoveTrial {
  #nodes = "";
  #start: Spread | undefined;
  #told = 0;
  #pauseMs = 0;
  #pausedUntil = -Infinity;

  /**
   * Judges the trial that goes on, and begins one where there is none.
   * @returns what is to be told of, once, when it failed
   */
  judge(spread: Spread): FailedTrial | undefined {
    const { now } = spread;
    const nodes = spread.nodes.toSorted().join();
    if (nodes !== this.#nodes) {
      // What was before is no measure any more, and the balancer may reach what is new.
      this.#nodes = nodes;
      this.#pauseMs = 0;
      this.#pausedUntil = -Infinity;
      this.#begin(spread);
    }
    if (this.#start === undefined || this.isPaused(now) || now - this.#start.now > OLD_MS) {
      this.#begin(spread);
    }
    const before = this.#start!;
    const told = this.#told;
    if (told < Math.max(ENOUGH_CLIENTS, ENOUGH * before.own)) return undefined;
    this.#begin(spread);
    const fallen = before.excess / before.total - spread.excess / spread.total;
    if (fallen >= USEFUL * told / before.total) {
      this.#pauseMs = 0;
      return undefined;
    }
    this.#pauseMs = Math.min(2 * this.#pauseMs || FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    this.#pausedUntil = now + this.#pauseMs;
    return { told, pauseMs: this.#pauseMs };
  }

  /** Whether clients are to stay for now. */
  isPaused(now: number): boolean {
    return now < this.#pausedUntil;
  }

  /** Counts clients that were sent away. */
  add(told: number): void {
    this.#told += told;
  }

  #begin(spread: Spread): void {
    this.#start = spread;
    this.#told = 0;
  }
}
