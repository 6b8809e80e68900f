import { readMembers } from "../core/read_members.ts";
import type { Clock, PresenceTiming, Shard } from "./shard.ts";

/** A lease as it was read last. */
export interface LeaseRecord {
  readonly epoch: string;
  /** Changes with each renewal. */
  readonly stamp: string;
  /** Whether it cannot be renewed any more: another node reaps this one, or it went by itself. */
  readonly isCondemned: boolean;
  /** What the node says of itself. */
  readonly data: Readonly<Record<string, unknown>>;
  /** When the stamp was first seen, by this node's clock. */
  readonly seenAt: number;
}

/** What a {@link Lease} needs. */
export interface LeaseOptions {
  /** The master that holds the leases. */
  readonly shard: () => Shard;
  /** The hash of all leases. */
  readonly key: string;
  readonly clock: Clock;
  readonly timing: PresenceTiming;
  /** A name for this node that no node has or had. */
  readonly newEpoch: () => string;
  /** What the node says of itself, asked at each renewal. */
  readonly data: () => object;
  /**
   * Called when the node goes on under a new epoch: all its records are to be written again.
   * @param reaped whether it had been reaped, so that its recipients were announced as gone
   */
  readonly rejoined: (reaped: boolean) => void;
  /** Called when Redis refused to renew the lease, which is tried again. */
  readonly refused: (error: Error) => void;
}

/** The lease of this node, and what it knows of the others. */
export class Lease {
  readonly #options: LeaseOptions;
  #epoch: string;
  #former: string[] = [];
  #hasJoined = false;
  #isProven = false;
  #isStopped = false;
  #renewedAt = -Infinity;
  #steadySince = 0;
  #records: ReadonlyMap<string, LeaseRecord> = new Map();
  #renewing: Promise<boolean> | undefined;
  /** Nodes that were reaped, so that a Redis that lost everything is told again. */
  readonly #reaped = new Set<string>();
  /** Those of them that the hash held when it was read last. */
  #told: Set<string> = new Set();

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#epoch = options.newEpoch();
  }

  /** Under which name the node writes. */
  get epoch(): string {
    return this.#epoch;
  }

  /** Epochs of this node that records may still hold. */
  get former(): readonly string[] {
    return this.#former;
  }

  /** Whether the node may write: no other node can have begun to reap it. */
  get isHeld(): boolean {
    return this.#isProven && this.ageMs < this.#options.timing.leaseMs;
  }

  /** How long ago the lease was renewed. */
  get ageMs(): number {
    return this.#options.clock.now() - this.#renewedAt;
  }

  /** For how long the lease was renewed in time. */
  get steadyMs(): number {
    if (!this.isHeld || this.ageMs > this.#lateMs) return 0;
    return this.#options.clock.now() - this.#steadySince;
  }

  /** All leases as they were read at the last renewal, this node's too. */
  get records(): ReadonlyMap<string, LeaseRecord> {
    return this.#records;
  }

  /** Whether the node `epoch` is known to have been reaped. */
  wasReaped(epoch: string): boolean {
    return this.#reaped.has(epoch);
  }

  /** Remembers that the node `epoch` was reaped. */
  noteReaped(epoch: string): void {
    this.#reaped.add(epoch);
  }

  /** Demands a renewal before anything more is written: a record was not as the node had left it. */
  async prove(): Promise<boolean> {
    await this.#renewing; // that one was sent before
    this.#isProven = false;
    return await this.renew();
  }

  /** Forgets the epochs from before: no record holds them any more. */
  forgetFormer(): void {
    this.#former = [];
  }

  /** Renews nothing any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Renews the lease, or takes a new one where it is gone. Never throws. */
  renew(): Promise<boolean> {
    if (this.#isStopped) return Promise.resolve(false);
    return this.#renewing ??= this.#renew().finally(() => this.#renewing = undefined);
  }

  get #lateMs(): number {
    return 2 * this.#options.timing.renewMs;
  }

  async #renew(): Promise<boolean> {
    const { shard, timing, newEpoch, rejoined } = this.#options;
    const reply = await this.#ask(this.#hasJoined ? "renew" : "join");
    if (reply !== "gone") return reply === "held";
    await shard().check();
    // Others that were reaped learn it from here before they go on.
    if (this.#reaped.difference(this.#told).size > 0) await this.#ask("renew");
    const reaped = this.#reaped.has(this.#epoch) ||
      this.#records.get(this.#epoch)?.isCondemned === true;
    // A late node may have been reaped before everything was lost: the others say so again.
    const isLate = this.ageMs >= timing.leaseMs;
    if (!reaped && isLate && shard().inDoubt && shard().steadyMs < 0.9 * timing.renewMs) {
      return false;
    }
    if (reaped) this.#reaped.add(this.#epoch);
    this.#former.push(this.#epoch);
    this.#epoch = newEpoch();
    this.#hasJoined = false;
    rejoined(reaped);
    return await this.#ask("join") === "held";
  }

  async #ask(mode: "join" | "renew"): Promise<"held" | "gone" | "unknown"> {
    const { shard, key, clock, data, refused, timing: { keepMs } } = this.#options;
    if (!shard().isReady || this.#isStopped) return "unknown";
    const sentAt = clock.now();
    const text = JSON.stringify({ ...data(), was: this.#former });
    const [reply] = await shard().send([
      ["renew", key, this.#epoch, mode, text, keepMs, ...this.#reaped.difference(this.#told)],
    ]).catch(() => []);
    if (reply instanceof Error) refused(reply);
    if (!Array.isArray(reply)) return "unknown";
    this.#read(reply[1] as string[]);
    if (Number(reply[0]) === 0) return "gone";
    if (sentAt - this.#renewedAt > this.#lateMs) this.#steadySince = sentAt;
    this.#renewedAt = sentAt;
    this.#hasJoined = true;
    this.#isProven = true;
    return "held";
  }

  #read(hash: readonly string[]): void {
    const now = this.#options.clock.now();
    const records = new Map<string, LeaseRecord>();
    const told = new Set<string>();
    for (let at = 0; at < hash.length; at += 2) {
      const field = hash[at]!;
      const text = hash[at + 1]!;
      if (field.startsWith("-")) {
        told.add(field.slice(1));
        this.#reaped.add(field.slice(1));
        continue;
      }
      const space = text.indexOf(" ");
      const stamp = text.slice(0, space);
      const before = this.#records.get(field);
      records.set(field, {
        epoch: field,
        stamp,
        isCondemned: stamp.startsWith("x"),
        data: readMembers(text.slice(space + 1)),
        seenAt: before?.stamp === stamp ? before.seenAt : now,
      });
    }
    this.#records = records;
    this.#told = told;
    for (const epoch of this.#reaped) {
      if (this.#reaped.size <= REMEMBERED) break;
      this.#reaped.delete(epoch);
    }
  }
}

/** How many reaped nodes are remembered. */
const REMEMBERED = 100;
