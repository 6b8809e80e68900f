import { Registry } from "../../../src/presence/registry.ts";
import { Shard } from "../../../src/presence/shard.ts";
import { SimulatedClock } from "./simulated_clock.ts";
import { type LinkedNode, SimulatedLink, type SimulatedServer } from "./simulated_link.ts";
import { type Notice, type ScriptRule, SimulatedRedis } from "./simulated_redis.ts";

/** The times of a simulated system, as they are by default. */
export const TIMING = {
  renewMs: 3_000,
  leaseMs: 8_000,
  graceMs: 0,
  retryMs: 500,
  sweepMs: 600_000,
  forgetMs: 60_000,
  keepMs: 86_400_000,
};

/** How a simulated system differs from the usual. */
export interface WorldOptions {
  readonly seed: number;
  readonly shards: number;
  readonly graceMs?: number;
  readonly forgetMs?: number;
  /** A precaution that is left out. */
  readonly omitted?: ScriptRule | "kills the old connection" | undefined;
}

/** A node, whose process stops and dies as the test likes. */
export class SimulatedNode implements LinkedNode {
  isFrozen = false;
  frozenAt = 0;
  isDead = false;
  readonly links: SimulatedLink[] = [];
  readonly sockets: string[] = [];
  registry!: Registry;
  readonly #held: (() => void)[] = [];

  run(callback: () => void): void {
    if (this.isDead) return;
    if (this.isFrozen) this.#held.push(callback);
    else callback();
  }

  thaw(): void {
    this.isFrozen = false;
    for (const callback of this.#held.splice(0)) this.run(callback);
  }
}

/** Nodes, masters, and the notices that backends heard. */
export class World {
  readonly clock = new SimulatedClock();
  readonly servers: SimulatedServer[] = [];
  readonly nodes: SimulatedNode[] = [];
  readonly notices: (Notice & { readonly at: number })[] = [];
  readonly problems: string[] = [];
  readonly random: () => number;
  /** Who has held a recipient without a break and without trouble since all was quiet. */
  #stable = new Map<string, Set<SimulatedNode>>();
  #epochs = 0;

  constructor(readonly options: WorldOptions) {
    this.random = mulberry32(options.seed);
    const { omitted } = options;
    for (let at = 0; at < options.shards; at++) {
      this.servers.push({
        redis: new SimulatedRedis(
          () => 1_760_000_000_000 + this.clock.now(),
          (notice) => this.#hear(notice),
          omitted === "kills the old connection" ? undefined : omitted,
        ),
        isFrozen: false,
        isDown: false,
      });
    }
  }

  addNode(): SimulatedNode {
    const node = new SimulatedNode();
    const { graceMs = 0, forgetMs = TIMING.forgetMs, omitted } = this.options;
    const timing = { ...TIMING, graceMs, forgetMs };
    const clock = {
      now: () => this.clock.now(),
      after: (ms: number, callback: () => void) => this.clock.after(ms, () => node.run(callback)),
    };
    node.registry = new Registry({
      clock,
      timing,
      unique: () => `n${++this.#epochs}`,
      prefix: "keywire",
      connectedChannel: "connected",
      disconnectedChannel: "disconnected",
      status: () => ({ address: "", version: "", since: 0, connections: node.sockets.length }),
      refused: (error) => this.problems.push(`refused: ${error.message}`),
      connect: (events) => {
        const shards = this.servers.map((server, at) => {
          const kills = omitted !== "kills the old connection";
          const link = new SimulatedLink(node, server, this.clock, this.random, kills);
          node.links.push(link);
          const shard = new Shard({ ...events, link, markKey: `keywire:{s${at}}:mark` });
          link.shard = shard;
          this.clock.after(5 * this.random(), () => node.run(() => link.open()));
          return shard;
        });
        return {
          all: shards,
          of: (key) => shards[this.shardOf(key)]!,
          [Symbol.asyncDispose]: () => Promise.resolve(),
        };
      },
    });
    this.nodes.push(node);
    return node;
  }

  shardOf(key: string): number {
    const tag = key.slice(key.indexOf("{") + 1, key.indexOf("}"));
    let hash = 7;
    for (const char of tag) hash = (hash * 31 + char.charCodeAt(0)) % 65_521;
    return hash % this.servers.length;
  }

  connect(node: SimulatedNode, recipient: string): void {
    if (node.isDead || node.isFrozen) return;
    node.sockets.push(recipient);
    node.registry.add([recipient]);
  }

  close(node: SimulatedNode, recipient: string): void {
    const at = node.sockets.indexOf(recipient);
    if (node.isDead || node.isFrozen || at < 0) return;
    node.sockets.splice(at, 1);
    if (!node.sockets.includes(recipient)) this.#stable.get(recipient)?.delete(node);
    node.registry.remove([recipient]);
  }

  /** A node is in trouble: what it holds may be taken for gone. */
  trouble(node: SimulatedNode): void {
    for (const nodes of this.#stable.values()) nodes.delete(node);
  }

  kill(node: SimulatedNode): void {
    this.trouble(node);
    node.isDead = true;
    // Should the network still deliver what it sent, that stays until the record expires.
    for (const link of node.links) link.end();
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }

  /** Every trouble is over, and time enough has passed: registry, notices and truth must agree. */
  async quiet(ms = 45_000): Promise<void> {
    for (const server of this.servers) server.isFrozen = server.isDown = false;
    for (const node of this.nodes) node.thaw();
    await this.clock.advance(ms);
    const truth = new Map<string, number>();
    for (const { sockets } of this.nodes) {
      for (const recipient of sockets) truth.set(recipient, (truth.get(recipient) ?? 0) + 1);
    }
    this.#checkNotices(truth);
    this.#checkRecords(truth);
    this.#stable = new Map([...truth.keys()].map((recipient) => [
      recipient,
      new Set(this.nodes.filter(({ sockets }) => sockets.includes(recipient))),
    ]));
  }

  #checkNotices(truth: ReadonlyMap<string, number>): void {
    const last = new Map<string, string>();
    for (const { kind, recipient, at } of this.notices) {
      if ((last.get(recipient) ?? "disconnected") === kind) {
        this.problems.push(`${kind} ${recipient} twice, again at ${Math.round(at)}`);
      }
      last.set(recipient, kind);
    }
    for (const recipient of new Set([...last.keys(), ...truth.keys()])) {
      const said = last.get(recipient) === "connected";
      if (said !== truth.has(recipient)) {
        this.problems.push(`${recipient} is ${truth.has(recipient) ? "there" : "gone"}, unsaid`);
      }
    }
  }

  #checkRecords(truth: ReadonlyMap<string, number>): void {
    const found = new Map<string, number>();
    for (const { redis } of this.servers) {
      for (const [key, value] of redis.data) {
        if (!key.endsWith(":at")) continue;
        const recipient = key.slice(key.indexOf("{") + 1, key.indexOf("}"));
        let sockets = 0;
        for (const [field, text] of value as Map<string, string>) {
          if (field !== "!") sockets += parseInt(text);
        }
        if (sockets > 0) found.set(recipient, sockets);
        else {this.problems.push(
            `${recipient}: a record without a connection: ${[...value as Map<string, string>]}`,
          );}
      }
    }
    for (const recipient of new Set([...found.keys(), ...truth.keys()])) {
      if (found.get(recipient) === truth.get(recipient)) continue;
      this.problems.push(
        `${recipient} has ${truth.get(recipient)} sockets, not ${found.get(recipient)}`,
      );
    }
  }

  #hear(notice: Notice): void {
    const at = this.clock.now();
    this.notices.push({ ...notice, at });
    const stable = this.#stable.get(notice.recipient)?.size ?? 0;
    if (notice.kind === "disconnected" && stable > 0) {
      this.problems.push(`disconnected ${notice.recipient}, who is there, at ${Math.round(at)}`);
    }
  }
}

/** A small generator of numbers from 0 to below 1, the same for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = state + 0x6d2b79f5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
}
