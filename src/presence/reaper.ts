import type { Lease, LeaseRecord } from "./lease.ts";
import type { PresenceNames } from "./presence_names.ts";
import { type Clock, type Command, type PresenceTiming, type Shard, ShardLost } from "./shard.ts";

/** What a {@link Reaper} needs. */
export interface ReaperOptions {
  readonly shards: () => readonly Shard[];
  /** The master that holds a key. */
  readonly shardOf: (key: string) => Shard;
  readonly lease: Lease;
  readonly names: PresenceNames;
  readonly clock: Clock;
  readonly timing: PresenceTiming;
  readonly disconnectedChannel: string;
  /** Called when Redis refused a command, which is tried again. */
  readonly refused: (error: Error) => void;
  /** Called when a node was reaped to the end, with its epoch and its address. */
  readonly reaped?: (epoch: string, address: string) => void;
}

/** How many names are reaped by one pipeline. */
const PAGE = 500;

/**
 * Removes what crashed nodes left behind. Only a node that has itself been in time for a
 * whole lease judges others: where Redis stood still, all are late. The lease is condemned first, so
 * that its node cannot go on with records that are gone, and removed last, so that another reaper
 * can take over.
 */
export class Reaper {
  readonly #options: ReaperOptions;
  /** Nodes that this one condemned: their stamp, and when to go on with them. */
  readonly #claims = new Map<string, { readonly stamp: string; readonly at: number }>();
  #isRunning = false;
  #reaped = 0;

  constructor(options: ReaperOptions) {
    this.#options = options;
  }

  /** How many nodes it reaped to the end. */
  get reaped(): number {
    return this.#reaped;
  }

  /** Reaps the nodes that are due, and fields of no node. Never throws. */
  async run(strays: Map<string, readonly string[]>): Promise<void> {
    if (this.#isRunning) return;
    this.#isRunning = true;
    try {
      for (const record of [...this.#options.lease.records.values()]) {
        if (this.#isDue(record)) await this.#reap(record);
      }
      if (strays.size > 0) await this.#reapStrays(strays);
    } catch (error) {
      if (!(error instanceof ShardLost)) this.#options.refused(error as Error);
    } finally {
      this.#isRunning = false;
    }
  }

  /** Whether nothing here is late or in doubt. */
  #isSteady(ms: number): boolean {
    const { shards, lease } = this.#options;
    return lease.isHeld && lease.steadyMs >= ms &&
      shards().every((shard) => shard.isReady && !shard.inDoubt && shard.steadyMs >= ms);
  }

  #isDue({ epoch, stamp, seenAt }: LeaseRecord): boolean {
    const { lease, clock, timing: { leaseMs } } = this.#options;
    if (epoch === lease.epoch) return false;
    if (stamp === "x0") return this.#isSteady(0); // It went by itself.
    const claim = this.#claims.get(epoch);
    if (claim?.stamp === stamp) return this.#isSteady(0) && clock.now() >= claim.at;
    return clock.now() - seenAt >= leaseMs && this.#isSteady(leaseMs);
  }

  async #reap({ epoch, stamp, data }: LeaseRecord): Promise<void> {
    const { shards, shardOf, names, clock, lease } = this.#options;
    const nodes = shardOf(names.nodes);
    const [claim] = await ask(nodes, [["condemn", names.nodes, epoch, stamp]]);
    if (typeof claim !== "string") return;
    this.#claims.set(epoch, { stamp: claim, at: 0 });
    const epochs = [epoch, ...Array.isArray(data.was) ? data.was.map(String) : []];
    let waitMs = 0;
    for (const each of epochs) waitMs = Math.max(waitMs, await this.#reapNames(each));
    // Where something was lost meanwhile, the node's recipients may not have been announced as gone.
    await Promise.all(shards().map((shard) => shard.check()));
    if (!this.#isSteady(0)) return;
    if (waitMs > 0) {
      this.#claims.set(epoch, { stamp: claim, at: clock.now() + waitMs });
      return;
    }
    for (const each of epochs) await ask(shardOf(names.names(each)), [["DEL", names.names(each)]]);
    await ask(nodes, [["end", names.nodes, epoch, "reaped"]]);
    this.#claims.delete(epoch);
    lease.noteReaped(epoch);
    this.#reaped++;
    // One that went by itself left only what it owed.
    if (stamp !== "x0") this.#options.reaped?.(epoch, String(data.address ?? "unknown"));
  }

  /** Returns how long recipients still count as present, in milliseconds. */
  async #reapNames(epoch: string): Promise<number> {
    const { shardOf, names } = this.#options;
    const key = names.names(epoch);
    let cursor = "0";
    let waitMs = 0;
    do {
      const [page] = await ask(shardOf(key), [["SSCAN", key, cursor, "COUNT", PAGE]]);
      const [next, recipients] = page as [string, string[]];
      waitMs = Math.max(waitMs, await this.#reapFields(recipients.map((name) => [name, epoch])));
      cursor = next;
    } while (cursor !== "0");
    return waitMs;
  }

  async #reapStrays(strays: Map<string, readonly string[]>): Promise<void> {
    const { lease } = this.#options;
    // The leases were read after the records: who had none by then is no node.
    const fields = [...strays].flatMap(([recipient, epochs]) =>
      epochs.filter((epoch) => !lease.records.has(epoch)).map((epoch) =>
        [recipient, epoch] as const
      )
    );
    if (!this.#isSteady(0)) return;
    strays.clear();
    for (let at = 0; at < fields.length; at += PAGE) {
      await this.#reapFields(fields.slice(at, at + PAGE));
    }
  }

  async #reapFields(
    fields: readonly (readonly [recipient: string, epoch: string])[],
  ): Promise<number> {
    const { shardOf, names, disconnectedChannel, timing: { keepMs, leaseMs } } = this.#options;
    const batches = new Map<Shard, Command[]>();
    for (const [recipient, epoch] of fields) {
      const key = names.at(recipient);
      const shard = shardOf(key);
      const batch = batches.get(shard) ?? [];
      batches.set(shard, batch);
      const { serverNow } = shard;
      const to = [disconnectedChannel, recipient] as const;
      batch.push(["remove", key, epoch, "reap", serverNow, ...to, keepMs, "", 2 * leaseMs]);
    }
    let waitMs = 0;
    for (const [shard, commands] of batches) {
      if (!this.#isSteady(0)) throw new ShardLost("A master is in doubt");
      for (const reply of await ask(shard, commands)) {
        if (typeof reply === "number") waitMs = Math.max(waitMs, reply);
      }
    }
    return waitMs;
  }
}

/** Sends commands and throws the first refusal. */
async function ask(shard: Shard, commands: readonly Command[]): Promise<readonly unknown[]> {
  const replies = await shard.send(commands);
  for (const reply of replies) if (reply instanceof Error) throw reply;
  return replies;
}
