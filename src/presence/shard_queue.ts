import type { Entry, Step } from "./entry.ts";
import type { Lease } from "./lease.ts";
import type { Clock, PresenceTiming, Shard } from "./shard.ts";
import type { Steps } from "./steps.ts";

/** How many commands go in one pipeline: Redis serves no one else for that long, some 2 ms. */
const BATCH = 500;

/**
 * How far apart rounds begin that are not full, in milliseconds. A pipeline costs Redis several
 * times what a recipient does, whatever it holds: it wakes for it, and writes to two sockets. So under
 * load what comes meanwhile shares one, and the first to come after a pause goes at once.
 */
const GATHER_MS = 50;

/** What a {@link ShardQueue} needs. */
export interface ShardQueueOptions {
  readonly lease: Lease;
  readonly clock: Clock;
  readonly timing: PresenceTiming;
  readonly refused: (error: Error) => void;
  /** Has an entry looked at again, by the queue of the master that holds it now. */
  readonly requeue: (entry: Entry) => void;
  /** Names entries before their records are written; false where that failed. */
  readonly name: (entries: readonly Entry[]) => Promise<boolean>;
}

/** The entries of one master that something may have to be sent for, sent in batches. */
export class ShardQueue {
  readonly #shard: Shard;
  readonly #steps: Steps;
  readonly #options: ShardQueueOptions;
  #waiting = new Set<Entry>();
  /** Entries that are decided once the master is trusted. */
  #parked = new Set<Entry>();
  #isRunning = false;
  #roundAt = -Infinity;

  constructor(
    shard: Shard,
    steps: Steps,
    options: ShardQueueOptions,
  ) {
    this.#shard = shard;
    this.#steps = steps;
    this.#options = options;
  }

  /** Whether nothing waits and nothing is under way. */
  get isSettled(): boolean {
    return !this.#isRunning && this.#waiting.size === 0 && this.#parked.size === 0;
  }

  /** Has `entry` looked at soon, with all that changes in this turn. */
  add(entry: Entry): void {
    this.#waiting.add(entry);
    this.kick();
  }

  /** Looks at what was put off. */
  unpark(): void {
    for (const entry of this.#parked) this.#waiting.add(entry);
    this.#parked.clear();
    this.kick();
  }

  /** Sends what waits, unless that is under way. */
  kick(): void {
    if (this.#isRunning || this.#waiting.size === 0) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    let goesOn = true;
    while (goesOn && this.#waiting.size > 0) {
      await this.#gather();
      if (!this.#canSend) break;
      this.#roundAt = this.#options.clock.now();
      goesOn = await this.#round();
    }
    this.#isRunning = false;
    if (!goesOn) this.#options.clock.after(this.#options.timing.retryMs, () => this.kick());
  }

  get #canSend(): boolean {
    return this.#shard.isReady && this.#options.lease.isHeld;
  }

  /** Waits for more to come, unless the last round was long ago or the next one is full. */
  #gather(): Promise<void> | undefined {
    const { clock } = this.#options;
    const waitMs = this.#roundAt + GATHER_MS - clock.now();
    if (waitMs <= 0 || this.#waiting.size >= BATCH) return;
    return new Promise((resolve) => clock.after(waitMs, resolve));
  }

  /**
   * Sends what waits; and at once what follows from it, a notice behind a record, unless something
   * else came meanwhile: then both share the pipeline of the next round.
   * Returns whether there is nothing to wait for.
   */
  async #round(): Promise<boolean> {
    const entries = this.#take(this.#waiting);
    const goesOn = await this.#advance(entries);
    if (!goesOn || !this.#waiting.isSubsetOf(new Set(entries))) return goesOn;
    return await this.#advance(this.#take(entries));
  }

  async #advance(entries: readonly Entry[]): Promise<boolean> {
    if (entries.length === 0) return true;
    const goesOn = await this.#options.name(entries) && await this.#send(entries);
    for (const entry of entries) {
      entry.isBusy = false;
      if (this.#steps.next(entry) !== undefined) this.#options.requeue(entry);
    }
    return goesOn;
  }

  /** Takes those of `candidates` that wait here and have something to be sent. */
  #take(candidates: Iterable<Entry>): Entry[] {
    const entries: Entry[] = [];
    for (const entry of candidates) {
      if (entries.length === BATCH) break;
      if (!this.#waiting.delete(entry)) continue;
      const step = this.#steps.next(entry);
      if (step === "park") this.#parked.add(entry);
      else if (step !== undefined) {
        entry.isBusy = true;
        entries.push(entry);
      }
    }
    return entries;
  }

  /** Returns whether there is nothing to wait for before the next batch. */
  async #send(entries: readonly Entry[]): Promise<boolean> {
    const { lease, refused } = this.#options;
    // Much may have changed meanwhile, the epoch under which they are named as well.
    if (!this.#canSend) return true;
    const steps = entries.filter(({ isNamed }) => isNamed)
      .map((entry) => this.#steps.next(entry))
      .filter((step): step is Step => typeof step === "object");
    const commands = steps.map((step) => this.#steps.command(step));
    for (const { entry } of steps) entry.isStale = entry.restores = false;
    let replies: readonly unknown[];
    try {
      replies = await this.#shard.send([...commands, ["GET", this.#shard.markKey]]);
    } catch {
      for (const step of steps) this.#steps.unanswered(step);
      return false;
    }
    let isLost = false;
    let error: Error | undefined;
    for (const [at, step] of steps.entries()) {
      const reply = replies[at];
      if (reply instanceof Error) {
        error = reply;
        step.entry.isStale = true;
        step.entry.restores ||= step.restores;
      } else if (this.#steps.apply(step, reply)) isLost = true;
    }
    // What was lost, or removed by a reaper, is noticed before anything is decided.
    if (isLost || !this.#shard.agrees(replies.at(-1))) {
      await this.#shard.check();
      await lease.prove();
    }
    if (error !== undefined) refused(error);
    return error === undefined;
  }
}
