import { Redis } from "ioredis";
import { items, openSocket, type SocketClient } from "../support/clients.ts";
import type { RedisServer } from "../support/redis.ts";
import { Cluster } from "./cluster.ts";

/** What it cost that clients resumed. */
export interface ResumingCosts {
  /** Clients that were told that nothing was lost. */
  readonly recovered: number;
  /** Messages that they got of those that they had missed, one each. */
  readonly replayed: number;
  /** How long it took until the last of them had everything, in milliseconds. */
  readonly tookMs: number;
  /** 99 of 100 live messages took no longer, before and during that time, in milliseconds. */
  readonly p99Ms: { readonly before: number; readonly during: number };
  /**
   * What Redis was asked about the stream meanwhile: entries appended, reads that wait for them, and
   * all else. Presence is no part of this: it is written, and notices published, for each recipient.
   */
  readonly commands: { readonly xadd: number; readonly xread: number; readonly others: number };
}

/** Clients connect so many at once; the kernel queues few more. */
const BATCH = 250;
/** How long live delivery is measured before, in milliseconds. */
const BEFORE_MS = 2_000;
const LIVE = "live";

/** Kills the node of `count` clients, each of which then misses a message, and lets all resume at once. */
export async function resumingCosts(count: number): Promise<ResumingCosts> {
  const names = Array.from({ length: count }, (_, index) => `c${index}`);
  await using cluster = await Cluster.start({
    REDIS_CHANNEL: "",
    EMBEDDED_KEYS: [LIVE, ...names].join(","),
  });
  const { redis, nodes } = cluster;
  const [dying, survivor] = nodes;
  using probe = new Probe({ redisPort: redis.port, url: survivor!.process.url, key: LIVE });

  const cursors: string[] = [];
  for (let from = 0; from < count; from += BATCH) {
    const batch = names.slice(from, from + BATCH);
    cursors.push(
      ...await Promise.all(batch.map(async (name) => {
        const client = await openSocket(dying!.process.url, name, { v1: true });
        const [welcome] = await items(client.events, 1);
        return String(welcome!.cursor);
      })),
    );
  }
  await probe.take();
  await new Promise((resolve) => setTimeout(resolve, BEFORE_MS));
  const before = await probe.take();

  dying!.process.kill();
  await dying!.process.ended;
  await publish(redis.port, names);
  await probe.take();
  const calls = await commandCalls(redis);
  const started = performance.now();
  const clients = await Promise.all(names.map(async (name, index) => {
    const client = await resume(survivor!.process.url, name, cursors[index]!);
    await items(client.events, 2);
    return client;
  }));
  const tookMs = performance.now() - started;
  const during = await probe.take();
  const { xadd = 0, xread = 0, ...others } = difference(await commandCalls(redis), calls);

  for (const { socket } of clients) socket.close();
  return {
    recovered: clients.filter(({ events }) => events[0]!.recovered === true).length,
    replayed: clients.flatMap(({ events }) => events.filter(({ type }) => type === "message"))
      .length,
    tookMs,
    p99Ms: { before: p99(before), during: p99(during) },
    commands: { xadd, xread, others: Object.values(others).reduce((sum, n) => sum + n, 0) },
  };
}

/** Live delivery, measured beside all this. */
class Probe implements Disposable {
  readonly #worker = new Worker(new URL("live_probe.ts", import.meta.url), { type: "module" });

  constructor(target: { redisPort: number; url: string; key: string }) {
    this.#worker.postMessage(target);
  }

  take(): Promise<number[]> {
    return new Promise((resolve) => {
      this.#worker.onmessage = ({ data }) => resolve(data);
      this.#worker.postMessage("take");
    });
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}

/** A kernel whose queue of connections is full lets a client wait, and try again. */
async function resume(url: string, name: string, after: string): Promise<SocketClient> {
  for (;;) {
    const client = await openSocket(url, name, { v1: true, after }).catch(() => undefined);
    if (client !== undefined) return client;
  }
}

async function publish(port: number, names: readonly string[]): Promise<void> {
  const redis = new Redis({ host: "127.0.0.1", port });
  const envelopes = names.map((name) => JSON.stringify({ recipients: [name] }));
  await Promise.all(
    envelopes.map((envelope) => redis.xadd("my_stream", "*", "message", envelope)),
  );
  redis.disconnect();
}

/** How often each command of streams was given so far. */
async function commandCalls(redis: RedisServer): Promise<Record<string, number>> {
  const info = await redis.tell("INFO", "commandstats");
  const lines = info.matchAll(/^cmdstat_(x\S+?):calls=(\d+)/gm);
  return Object.fromEntries([...lines].map(([, name, calls]) => [name, Number(calls)]));
}

function difference(
  after: Record<string, number>,
  before: Record<string, number>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after).map(([name, calls]) => [name, calls - (before[name] ?? 0)]),
  );
}

function p99(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length * 0.99)] ?? Infinity;
}
