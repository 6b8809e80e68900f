import { Entry } from "./entry.ts";
import type { Lease } from "./lease.ts";
import type { PresenceNames } from "./presence_names.ts";
import type { Clock, PresenceTiming, Shard } from "./shard.ts";
import { ShardQueue } from "./shard_queue.ts";
import { Steps } from "./steps.ts";

/** What {@link Records} need. */
export interface RecordsOptions {
  /** The master that holds a key. */
  readonly shardOf: (key: string) => Shard;
  readonly lease: Lease;
  readonly names: PresenceNames;
  readonly clock: Clock;
  readonly timing: PresenceTiming;
  /** Where the notices go. */
  readonly connectedChannel: string;
  readonly disconnectedChannel: string;
  /** Called when Redis refused a command, which is tried again. */
  readonly refused: (error: Error) => void;
}

/** How many entries are compared at once, at most. */
const SWEEP_MOST = 5_000;

/**
 * The recipients of this node. It compares what is true with what the records were last known to
 * hold, and sends the difference; so a fault delays notices and never makes one up.
 */
export class Records {
  readonly #options: RecordsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queues = new Map<Shard, ShardQueue>();
  /** Entries that are gone, and since when. */
  readonly #gone = new Map<Entry, number>();
  /** How many entries are to be compared by now. */
  #sweepDue = 0;
  readonly #steps: Steps;

  constructor(options: RecordsOptions) {
    this.#options = options;
    this.#steps = new Steps({
      ...options,
      gone: (entry) => this.#finish(entry),
      held: (entry, until) => this.#hold(entry, until),
    });
  }

  /** Recipients whose records hold epochs that may be of no node. */
  get strays(): Map<string, readonly string[]> {
    return this.#steps.strays;
  }

  /** Whether nothing is to be sent. */
  get isSettled(): boolean {
    return this.#queues.values().every((queue) => queue.isSettled);
  }

  /** Whether every entry is written under the epoch of the lease. */
  get hasMoved(): boolean {
    return this.#entries.values().every(({ isStale }) => !isStale);
  }

  add(recipient: string): void {
    const entry = this.#entry(recipient);
    if (entry.isGone) {
      this.#gone.delete(entry);
      entry.isGone = false;
      entry.announced = ""; // Others may have announced anything since.
    }
    entry.heldUntil = 0;
    entry.stopHold?.();
    if (entry.sockets++ === 0 && entry.written === undefined) entry.since = entry.shard.serverNow;
    this.#queue(entry);
  }

  remove(recipient: string): void {
    const entry = this.#entries.get(recipient);
    if (entry === undefined || entry.sockets === 0) return;
    const { clock, timing: { graceMs } } = this.#options;
    if (--entry.sockets === 0 && graceMs > 0) this.#hold(entry, clock.now() + graceMs);
    this.#queue(entry);
  }

  /** Sends what waits. */
  kick(): void {
    for (const queue of this.#queues.values()) queue.kick();
  }

  /** The data of `shard` may be lost: everything there is written again, with what was announced. */
  doubt(shard: Shard): void {
    const holdsNames = this.#options.shardOf(this.#namesKey) === shard;
    for (const entry of this.#entries.values()) {
      if (holdsNames) entry.isNamed = false;
      if (entry.shard === shard) this.#restore(entry);
      else if (holdsNames) this.#stale(entry);
    }
  }

  /** Every node has written again what `shard` had lost: what waited is decided. */
  trust(shard: Shard): void {
    this.#queues.get(shard)?.unpark();
  }

  /** The masters are others, or hold other keys: what moved is written again where it is now. */
  rehome(shards: readonly Shard[]): void {
    for (const shard of this.#queues.keys()) {
      if (!shards.includes(shard)) this.#queues.delete(shard);
    }
    for (const entry of this.#entries.values()) {
      const shard = this.#options.shardOf(this.#options.names.at(entry.recipient));
      if (entry.shard === shard) continue;
      entry.shard = shard;
      entry.isNamed = false;
      if (entry.written === undefined && !entry.isStale) this.#queue(entry);
      else this.#restore(entry);
    }
  }

  /** The node has another epoch: everything is written again under it. */
  rejoined(reaped: boolean): void {
    for (const entry of this.#entries.values()) {
      entry.isNamed = false;
      if (reaped) {
        entry.announced = "";
        entry.restores = false;
        this.#stale(entry);
      } else this.#restore(entry);
    }
  }

  /** Compares some more of the records with the truth: all of them within `sweepMs`. */
  sweep(): void {
    const { renewMs, sweepMs } = this.#options.timing;
    this.#sweepDue = Math.min(this.#sweepDue + this.#entries.size * renewMs / sweepMs, SWEEP_MOST);
    for (const entry of this.#entries.values()) {
      if (this.#sweepDue < 1) break;
      this.#sweepDue--;
      // Behind all others: the first are those that were compared longest ago.
      this.#entries.delete(entry.recipient);
      this.#entries.set(entry.recipient, entry);
      if (!entry.isGone) this.#stale(entry);
    }
  }

  /** Forgets the recipients that left long ago. */
  async forget(): Promise<void> {
    const { clock, timing: { forgetMs }, lease } = this.#options;
    const old: Entry[] = [];
    for (const [entry, at] of this.#gone) {
      if (clock.now() - at < forgetMs || old.length === 5_000) break;
      if (!entry.isBusy && !entry.isStale) old.push(entry);
    }
    if (old.length === 0 || !lease.isHeld) return;
    for (const entry of old) {
      this.#gone.delete(entry);
      this.#entries.delete(entry.recipient);
    }
    const key = this.#namesKey;
    const recipients = old.map(({ recipient }) => recipient);
    // A name too many costs its reaper one command.
    await this.#options.shardOf(key).send([["SREM", key, ...recipients]]).catch(() => {});
  }

  /** Whether a record may still hold this node. */
  get holdsAny(): boolean {
    return this.#entries.values().some(({ written, isStale, isGone, isBusy }) =>
      isBusy || (!isGone && (written !== undefined || isStale))
    );
  }

  /** Stops every timer. */
  stop(): void {
    for (const entry of this.#entries.values()) entry.stopHold?.();
  }

  /** Names entries before their records are written, so that a reaper finds them. */
  async #name(entries: readonly Entry[]): Promise<boolean> {
    const { shardOf, timing: { keepMs }, lease: { epoch }, refused } = this.#options;
    const unnamed = entries.filter(({ isNamed }) => !isNamed);
    if (unnamed.length === 0) return true;
    const key = this.#namesKey;
    const recipients = unnamed.map(({ recipient }) => recipient);
    const replies = await shardOf(key).send([
      ["SADD", key, ...recipients],
      ["PEXPIRE", key, keepMs],
    ]).catch(() => [] as unknown[]);
    for (const reply of replies) if (reply instanceof Error) refused(reply);
    if (typeof replies[0] !== "number") return false;
    for (const entry of unnamed) entry.isNamed = epoch === this.#options.lease.epoch;
    return true;
  }

  #finish(entry: Entry): void {
    entry.isGone = true;
    this.#gone.delete(entry);
    this.#gone.set(entry, this.#options.clock.now());
  }

  #hold(entry: Entry, until: number): void {
    const { clock } = this.#options;
    entry.heldUntil = until;
    entry.stopHold?.();
    entry.stopHold = clock.after(until - clock.now(), () => {
      if (entry.heldUntil !== until || entry.sockets > 0) return;
      entry.heldUntil = 0; // A timer may be a little early.
      this.#queue(entry);
    });
  }

  #restore(entry: Entry): void {
    if (!this.#steps.isSure(entry)) entry.announced = "";
    entry.restores = entry.announced !== "";
    this.#stale(entry);
  }

  #stale(entry: Entry): void {
    entry.isStale = true;
    this.#queue(entry);
  }

  #entry(recipient: string): Entry {
    let entry = this.#entries.get(recipient);
    if (entry === undefined) {
      const key = this.#options.names.at(recipient);
      entry = new Entry(recipient, this.#options.shardOf(key));
      this.#entries.set(recipient, entry);
    }
    return entry;
  }

  #queue(entry: Entry): void {
    let queue = this.#queues.get(entry.shard);
    if (queue === undefined) {
      queue = new ShardQueue(entry.shard, this.#steps, {
        ...this.#options,
        requeue: (entry) => this.#queue(entry),
        name: (entries) => this.#name(entries),
      });
      this.#queues.set(entry.shard, queue);
    }
    queue.add(entry);
  }

  get #namesKey(): string {
    return this.#options.names.names(this.#options.lease.epoch);
  }
}
