import { connectMaster, type RedisAddress } from "../redis/connect_redis.ts";
import type { PresenceNames } from "./presence_names.ts";
import { RedisMaster } from "./redis_master.ts";
import type { ShardMap, ShardMapEvents } from "./registry.ts";
import { Shard, ShardLost } from "./shard.ts";
import { readSlots, slotOfKey, SLOTS, type SlotTable, tagOfSlot } from "./slot_table.ts";

/** What a {@link ClusterMap} needs. */
export interface ClusterMapOptions extends ShardMapEvents {
  readonly address: RedisAddress;
  readonly names: PresenceNames;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Called when a connection is over, or an attempt at one, with a reason without secrets. */
  readonly down: (reason: string) => void;
}

/** How often the masters are asked for while one of them does not answer, and otherwise. */
const ANXIOUS_MS = 1_000;
const CALM_MS = 30_000;

/** The masters of a Cluster. They are asked for again when one is lost or does not hold a key. */
export class ClusterMap implements ShardMap {
  readonly #options: ClusterMapOptions;
  readonly #masters = new Map<string, { readonly shard: Shard; readonly link: RedisMaster }>();
  readonly #table: Shard[];
  #known = "";
  #isRefreshing = false;
  #refreshedAt = -Infinity;
  #stop: () => void = () => {};
  #isClosed = false;

  constructor(options: ClusterMapOptions) {
    this.#options = options;
    // Until the masters are known, everything belongs to one that does not answer.
    const link = { send: () => Promise.reject(new ShardLost("The masters are not known yet")) };
    this.#table = Array(SLOTS).fill(new Shard({ ...options, link, markKey: "" }));
    this.#watch();
  }

  get all(): readonly Shard[] {
    return [...this.#masters.values()].map(({ shard }) => shard);
  }

  get localAddress(): string | undefined {
    return this.#masters.values().map(({ link }) => link.localAddress)
      .find((address) => address !== undefined);
  }

  of(key: string): Shard {
    return this.#table[slotOfKey(key)]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#stop();
    await Promise.all([...this.#masters.values()].map(({ link }) => link[Symbol.asyncDispose]()));
  }

  #watch(): void {
    if (this.#isClosed) return;
    const isWell = this.#masters.size > 0 && this.all.every(({ isReady }) => isReady);
    const isOld = this.#options.clock.now() - this.#refreshedAt > CALM_MS;
    if (!isWell || isOld) void this.#refresh();
    this.#stop = this.#options.clock.after(ANXIOUS_MS, () => this.#watch());
  }

  async #refresh(): Promise<void> {
    if (this.#isRefreshing || this.#isClosed) return;
    this.#isRefreshing = true;
    try {
      const table = await this.#ask();
      if (table !== undefined && !this.#isClosed) this.#take(table);
    } finally {
      this.#isRefreshing = false;
    }
  }

  async #ask(): Promise<SlotTable | undefined> {
    for (const [name, { shard, link }] of this.#masters) {
      if (!shard.isReady) continue;
      const reply = await link.ask("CLUSTER", "SLOTS").catch(() => undefined);
      const table = readSlots(reply, name.slice(0, name.lastIndexOf(":")));
      if (table.size > 0) return table;
    }
    const { hosts } = this.#options.address;
    const known = [...this.#masters.keys()].map((name) => ({
      host: name.slice(0, name.lastIndexOf(":")),
      port: Number(name.slice(name.lastIndexOf(":") + 1)),
    }));
    for (const server of [...known, ...hosts]) {
      const table = readSlots(await this.#askOnce(server), server.host);
      if (table.size > 0) return table;
    }
  }

  #askOnce(server: { readonly host: string; readonly port: number }): Promise<unknown> {
    const client = connectMaster(this.#options.address, server);
    return new Promise((resolve) => {
      client.on("error", () => {});
      client.on("end", () => resolve(undefined));
      client.on("ready", () => {
        client.call("CLUSTER", "SLOTS").then(resolve, () => resolve(undefined))
          .finally(() => client.disconnect());
      });
    });
  }

  #take(table: SlotTable): void {
    this.#refreshedAt = this.#options.clock.now();
    const known = JSON.stringify([...table]);
    if (known === this.#known) return;
    this.#known = known;
    for (const [name, { host, port, ranges }] of table) {
      const lowest = Math.min(...ranges.map(([from]) => from));
      const markKey = this.#options.names.mark(tagOfSlot(lowest));
      const before = this.#masters.get(name);
      if (before?.shard.markKey !== markKey) {
        void before?.link[Symbol.asyncDispose]();
        this.#masters.set(name, this.#open({ host, port }, markKey));
      }
      const { shard } = this.#masters.get(name)!;
      for (const [from, to] of ranges) this.#table.fill(shard, from, to + 1);
    }
    for (const [name, { link }] of this.#masters) {
      if (table.has(name)) continue;
      this.#masters.delete(name);
      void link[Symbol.asyncDispose]();
    }
    this.#options.moved();
  }

  #open(server: { host: string; port: number }, markKey: string) {
    const { address, random, down } = this.#options;
    const link: RedisMaster = new RedisMaster({
      address: () => address,
      server,
      random,
      up: (runId) => shard.connected(runId),
      down: (reason) => {
        shard.disconnected();
        down(reason);
      },
      moved: () => void this.#refresh(),
    });
    const shard = new Shard({ ...this.#options, link, markKey });
    return { shard, link };
  }
}
