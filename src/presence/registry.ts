import {
  type NodeInfo,
  type NodeRegistry,
  type NodeStatus,
  type NoticeKind,
  type Presence,
  PresenceUnavailable,
  type RecipientPresence,
} from "./port.ts";
import { Lease } from "./lease.ts";
import { readNodeStatus } from "./node_status.ts";
import { lookUp } from "./look_up.ts";
import { PresenceNames } from "./presence_names.ts";
import { Reaper } from "./reaper.ts";
import { Records } from "./records.ts";
import type { Clock, PresenceTiming, Shard, ShardOptions } from "./shard.ts";

/** The masters of Redis, and which of them holds what. */
export interface ShardMap extends AsyncDisposable {
  readonly all: readonly Shard[];
  /** The address of this end of the connections, where it is known. */
  readonly localAddress?: string | undefined;
  /** The master that holds a key. */
  of(key: string): Shard;
}

/** What the masters are told about, and tell. */
export interface ShardMapEvents extends
  Pick<
    ShardOptions,
    "clock" | "timing" | "unique" | "ready" | "doubted" | "trusted" | "refused" | "notified"
  > {
  /** Called when the masters are others, or hold other keys. */
  readonly moved: () => void;
}

/** What a {@link Registry} needs. */
export interface RegistryOptions {
  /** Opens the connections. */
  readonly connect: (events: ShardMapEvents) => ShardMap;
  readonly clock: Clock;
  readonly timing: PresenceTiming;
  /** A text that no node makes again. */
  readonly unique: () => string;
  /** Begins every name in Redis. */
  readonly prefix: string;
  readonly connectedChannel: string;
  readonly disconnectedChannel: string;
  /** What the node says of itself, asked at each renewal. */
  readonly status: () => NodeStatus;
  /** Called when Redis refused a command, which is tried again. */
  readonly refused: (error: Error) => void;
  /** Called when another node was reaped, with its epoch and its address. */
  readonly reaped?: (epoch: string, address: string) => void;
  /** Called when a notice was published. */
  readonly notified?: (kind: NoticeKind) => void;
  /** Called when this node goes on under a new epoch: whether it was reaped before. */
  readonly rejoined?: (reaped: boolean) => void;
}

/** How long a node that goes waits for what it still has to send, in milliseconds. */
const LEAVE_MS = 1_000;

/** Presence over all nodes, kept in Redis; without a clock or a connection of its own. */
export class Registry implements Omit<Presence, "refusals" | "part" | "stats">, NodeRegistry {
  readonly #options: RegistryOptions;
  readonly #names: PresenceNames;
  readonly #shards: ShardMap;
  readonly #lease: Lease;
  readonly #records: Records;
  readonly #reaper: Reaper;
  #stopTimer: () => void = () => {};
  #isTicking = false;
  #isClosed = false;

  constructor(options: RegistryOptions) {
    this.#options = options;
    const names = this.#names = new PresenceNames(options.prefix);
    const shardOf = (key: string) => this.#shards.of(key);
    this.#lease = new Lease({
      ...options,
      shard: () => shardOf(names.nodes),
      key: names.nodes,
      newEpoch: options.unique,
      data: options.status,
      rejoined: (reaped) => {
        this.#records.rejoined(reaped);
        options.rejoined?.(reaped);
      },
    });
    this.#records = new Records({ ...options, shardOf, lease: this.#lease, names });
    this.#reaper = new Reaper({
      ...options,
      shards: () => this.#shards.all,
      shardOf,
      lease: this.#lease,
      names,
    });
    this.#shards = options.connect({
      ...options,
      ready: () => void this.#tick(),
      doubted: (shard) => this.#records.doubt(shard),
      trusted: (shard) => this.#records.trust(shard),
      moved: () => this.#records.rehome(this.#shards.all),
      notified: (kind) => options.notified?.(kind),
    });
    this.#schedule();
  }

  get unhealthyReason(): string | undefined {
    if (this.#shards.all.some(({ isReady }) => !isReady)) return "Redis is not connected";
    return this.#lease.isHeld ? undefined : "the lease of this node was not renewed";
  }

  /** How many nodes this one reaped. */
  get reapedNodes(): number {
    return this.#reaper.reaped;
  }

  add(recipients: readonly string[]): void {
    for (const recipient of recipients) this.#records.add(recipient);
  }

  remove(recipients: readonly string[]): void {
    for (const recipient of recipients) this.#records.remove(recipient);
  }

  lookUp(recipients: readonly string[]): Promise<ReadonlyMap<string, RecipientPresence>> {
    const shardOf = (key: string) => this.#shards.of(key);
    return lookUp(recipients, { shardOf, lease: this.#lease, names: this.#names });
  }

  async size(): Promise<number> {
    return (await this.nodes()).reduce((sum, { connections }) => sum + connections, 0);
  }

  nodes(): Promise<readonly NodeInfo[]> {
    const { clock, timing: { leaseMs, renewMs }, status } = this.#options;
    if (!this.#lease.isHeld) {
      return Promise.reject(new PresenceUnavailable("The lease of this node was not renewed"));
    }
    const nodes: NodeInfo[] = [];
    const readAt = Number(this.#lease.records.get(this.#lease.epoch)?.stamp);
    for (const { epoch, stamp, isCondemned, data, seenAt } of this.#lease.records.values()) {
      const isThis = epoch === this.#lease.epoch;
      const ageMs = this.#lease.ageMs + Math.max(0, readAt - Number(stamp));
      if (!isThis && (isCondemned || clock.now() - seenAt > leaseMs + renewMs)) continue;
      const node = isThis ? status() : readNodeStatus(data);
      if (node === undefined) continue;
      nodes.push({ ...node, id: epoch, isThis, ...Number.isFinite(ageMs) ? { ageMs } : {} });
    }
    return Promise.resolve(nodes);
  }

  hasLeft(id: string): boolean {
    // Its lease is removed in the same moment in which it is noted that it was reaped.
    return this.#lease.isHeld && !this.#lease.records.has(id) && !this.#lease.wasReaped(id);
  }

  async settled(): Promise<void> {
    while (!this.#records.isSettled && !this.#isClosed) await this.#wait(5);
  }

  /** Sends what is owed now, leaves the rest to the other nodes, and ends the lease. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#stopTimer();
    this.#records.stop();
    const { clock } = this.#options;
    const end = clock.now() + LEAVE_MS;
    while (!(this.#canSend && this.#records.isSettled) && clock.now() < end) await this.#wait(5);
    this.#isClosed = true;
    this.#lease.stop();
    while (this.#isTicking) await this.#wait(5);
    if (this.#canSend) await this.#leave();
    await this.#shards[Symbol.asyncDispose]();
  }

  get #canSend(): boolean {
    return this.#lease.isHeld && this.#shards.all.every(({ isReady }) => isReady);
  }

  async #leave(): Promise<void> {
    await this.#forgetFormer(); // There may be no other node that would.
    const { epoch, former } = this.#lease;
    const { nodes } = this.#names;
    const isClean = !this.#records.holdsAny && former.length === 0;
    const names = this.#names.names(epoch);
    if (isClean) await this.#shards.of(names).send([["DEL", names]]).catch(() => {});
    await this.#shards.of(nodes).send([["end", nodes, epoch, isClean ? "left" : "condemned"]])
      .catch(() => {});
  }

  #schedule(): void {
    this.#stopTimer = this.#options.clock.after(this.#options.timing.renewMs, () => {
      this.#schedule();
      void this.#tick();
    });
  }

  async #tick(): Promise<void> {
    if (this.#isTicking || this.#isClosed) return;
    this.#isTicking = true;
    try {
      await Promise.all(this.#shards.all.map((shard) => shard.check()));
      if (!await this.#lease.renew() || this.#isClosed) return;
      this.#records.sweep();
      this.#records.kick();
      await this.#records.forget();
      await this.#forgetFormer();
    } finally {
      this.#isTicking = false;
    }
    await this.#reaper.run(this.#records.strays);
  }

  /** Removes the names of former epochs, once no record holds those any more. */
  async #forgetFormer(): Promise<void> {
    const { former } = this.#lease;
    if (former.length === 0 || !this.#records.hasMoved) return;
    for (const epoch of former) {
      const key = this.#names.names(epoch);
      const [reply] = await this.#shards.of(key).send([["DEL", key]]).catch(() => []);
      if (typeof reply !== "number") return;
    }
    this.#lease.forgetFormer();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.#options.clock.after(ms, resolve));
  }
}
