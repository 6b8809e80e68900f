import { type PartHealth, PartStatus } from "../core/part_health.ts";
import type { SentinelCredentials } from "../core/redis_url.ts";
import { Tally } from "../core/tally.ts";
import { parseRedisUrl, type RedisAddress, whereIs } from "../redis/connect_redis.ts";
import { ConnectionFailures } from "../redis/connection_failures.ts";
import { failureClass } from "../redis/failure_class.ts";
import { SentinelWatch } from "../redis/sentinel_watch.ts";
import type {
  NodeInfo,
  NodeRegistry,
  NodeReport,
  NoticeKind,
  Presence,
  PresenceStats,
  RecipientPresence,
} from "./port.ts";
import { ClusterMap } from "./cluster_map.ts";
import { RedisMaster } from "./redis_master.ts";
import { PresenceLog } from "./presence_log.ts";
import { PresenceNames } from "./presence_names.ts";
import { Registry, type ShardMap, type ShardMapEvents } from "./registry.ts";
import { type Clock, type PresenceTiming, Shard } from "./shard.ts";

/** What {@link RedisPresence} is made of. */
export interface RedisPresenceOptions {
  /** As `parseRedisUrl` takes it. */
  readonly url: string;
  /** What the Sentinels want, where there are any. */
  readonly sentinel?: SentinelCredentials;
  /** Begins every name in Redis. */
  readonly prefix: string;
  readonly connectedChannel: string;
  readonly disconnectedChannel: string;
  /** This node: no other has or had the same. At most 20 characters of `[A-Za-z0-9_]`. */
  readonly nodeId: string;
  /** What the node says of itself, its address aside; asked each time that the lease is renewed. */
  readonly report: () => NodeReport;
  /** The port of its address. */
  readonly port: number;
  /** Times that differ from {@link DEFAULT_TIMING}. */
  readonly timing?: Partial<PresenceTiming>;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/**
 * How long everything takes. A node that dies is reaped within 15 s: its lease was seen at most 3 s
 * after its last renewal, ends 8 s later, and is looked at each 3 s.
 */
export const DEFAULT_TIMING: PresenceTiming = {
  renewMs: 3_000,
  leaseMs: 8_000,
  graceMs: 0,
  retryMs: 1_000,
  sweepMs: 600_000,
  forgetMs: 60_000,
  keepMs: 86_400_000,
};

/** So long after a refusal notices count as refused; longer than until they, or a lease, are tried again. */
const REFUSED_MS = 4_000;
/** Refusals that end with the trouble of another part, or with another look at the Cluster. */
const PASSING = /^(?:CLOSED|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK)\b/;

/** Redis answers, and does not let this connection do what presence needs. */
const BARRED: readonly string[] = ["denied", "other"];

/** Presence over all nodes of a Redis, of a master behind Sentinels, or of a Cluster. */
export class RedisPresence implements Presence, NodeRegistry {
  readonly #address: RedisAddress;
  readonly #registry: Registry;
  readonly #clock = new SystemClock();
  #map: ShardMap | undefined;
  /** How often Redis refused something, which was tried again. */
  #refusals = 0;
  readonly #lostConnections = new ConnectionFailures("presence");
  readonly #notices = new PartStatus("notices", { now: Date.now() });
  readonly #published = new Tally<NoticeKind>(["connected", "disconnected"]);
  #refusedAt = -Infinity;
  /** Why Redis does not take the connection, where it said so: no notice is published until it does. */
  #barred: string | undefined;
  readonly #log: PresenceLog;

  /** @throws {TypeError} when the URL cannot be read; the message shows nothing of it. */
  constructor(options: RedisPresenceOptions) {
    const { url, prefix, nodeId, report, port, timing, random = Math.random } = options;
    this.#address = parseRedisUrl(url, options.sentinel);
    this.#log = new PresenceLog(`Redis at ${whereIs(this.#address)}`);
    let made = 0;
    this.#registry = new Registry({
      ...options,
      timing: { ...DEFAULT_TIMING, ...timing },
      clock: this.#clock,
      unique: () => `${nodeId}-${(made++).toString(36)}`,
      status: () => ({ address: `${this.#map?.localAddress ?? "unknown"}:${port}`, ...report() }),
      refused: (error) => this.#refused(error),
      notified: (kind) => this.#published.add(kind),
      reaped: (node, address) => this.#log.reaped(node, address),
      rejoined: (reaped) => this.#log.rejoined(reaped),
      connect: (events) => this.#map = this.#connect(events, new PresenceNames(prefix), random),
    });
  }

  get part(): PartHealth {
    // What is refused is tried again within 3 seconds: when that was long ago, it was taken.
    this.#noteReached();
    const isOver = this.#clock.now() - this.#refusedAt > REFUSED_MS;
    if (this.#barred !== undefined || isOver) this.#notices.set(this.#barred, Date.now());
    return this.#notices;
  }

  get stats(): PresenceStats {
    return {
      notices: this.#published.counts,
      reapedNodes: this.#registry.reapedNodes,
      connectionFailures: this.#lostConnections.counts,
    };
  }

  get refusals(): number {
    return this.#refusals;
  }

  get unhealthyReason(): string | undefined {
    return this.#registry.unhealthyReason;
  }

  add(recipients: readonly string[]): void {
    this.#registry.add(recipients);
  }

  remove(recipients: readonly string[]): void {
    this.#registry.remove(recipients);
  }

  lookUp(recipients: readonly string[]): Promise<ReadonlyMap<string, RecipientPresence>> {
    return this.#registry.lookUp(recipients);
  }

  size(): Promise<number> {
    return this.#registry.size();
  }

  nodes(): Promise<readonly NodeInfo[]> {
    return this.#registry.nodes();
  }

  hasLeft(id: string): boolean {
    return this.#registry.hasLeft(id);
  }

  settled(): Promise<void> {
    return this.#registry.settled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#log[Symbol.dispose]();
    await this.#registry[Symbol.asyncDispose]();
    this.#clock.stop();
  }

  #connect(events: ShardMapEvents, names: PresenceNames, random: () => number): ShardMap {
    const address = this.#address;
    const down = (reason: string) => this.#lost(reason);
    const ready: ShardMapEvents["ready"] = (shard) => {
      events.ready(shard);
      if (this.#noteReached()) this.#log.reportUp();
    };
    if (address.kind === "cluster") {
      return new ClusterMap({ ...events, ready, address, names, random, down });
    }
    const reset = () => link.reset("CLOSED: the master was replaced");
    const sentinels = new SentinelWatch(address, reset);
    const link: RedisMaster = new RedisMaster({
      address: () => sentinels.address,
      random,
      up: (runId) => shard.connected(runId),
      down: (reason) => {
        shard.disconnected();
        down(reason);
      },
    });
    const shard = new Shard({ ...events, ready, link, markKey: names.mark("nodes") });
    sentinels.start();
    return {
      all: [shard],
      of: () => shard,
      get localAddress() {
        return link.localAddress;
      },
      [Symbol.asyncDispose]: () => {
        sentinels[Symbol.dispose]();
        return link[Symbol.asyncDispose]();
      },
    };
  }

  #refused(error: Error): void {
    this.#refusals++;
    if (!PASSING.test(error.message)) {
      this.#refusedAt = this.#clock.now();
      this.#notices.set(error.message, Date.now());
    }
    this.#log.refused(error.message);
  }

  /** Returns whether every master takes commands. */
  #noteReached(): boolean {
    const isReached = this.#map !== undefined && this.#map.all.every(({ isReady }) => isReady);
    if (isReached) this.#barred = undefined;
    return isReached;
  }

  #lost(reason: string): void {
    this.#lostConnections.add("presence", reason);
    if (reason === "closed") return;
    // That Redis is not there is the trouble of other parts.
    if (BARRED.includes(failureClass(reason))) this.#barred = reason;
    this.#log.reportDown(reason);
  }
}

/** The clock of the system. */
class SystemClock implements Clock {
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #isStopped = false;

  now(): number {
    return performance.now();
  }

  after(ms: number, callback: () => void): () => void {
    if (this.#isStopped) return () => {};
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, ms);
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
      clearTimeout(timer);
    };
  }

  /** Forgets every timer, and takes no more. */
  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
