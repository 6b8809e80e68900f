/** SIGTERM to a node with many healthy clients and some that do not read: when each comes back where. */
import { openBackend } from "../support/redis_client.ts";
import { startRedis } from "../support/redis.ts";
import { StalledClient } from "../support/stalled_client.ts";
import { waitFor } from "../support/wait.ts";
import { NodeGroup } from "./node_group.ts";
import { NODE_HOSTS, type ProxyServer, startProxy } from "./proxies.ts";
import { RollingClient } from "./rolling_client.ts";

/** Who is connected to the node that goes. */
export interface DrainOptions {
  /** Clients of `keywire.v1`, and of server-sent events. */
  readonly v1: number;
  readonly sse: number;
  /** Clients that do not read, a third of each of both protocols and plain sockets. */
  readonly stalled: number;
  readonly drainSeconds: number;
}

/** What came of it; times are milliseconds since SIGTERM. */
export interface DrainResult {
  readonly code: number;
  readonly exitMs: number;
  /** When each client left, and when it was welcomed by the other node. */
  readonly v1: readonly Move[];
  readonly sse: readonly Move[];
  /** Connections of clients that do not read, in whose send queues bytes stood at SIGTERM. */
  readonly stalled: number;
  /** What the node owed then, in bytes. */
  readonly backlog: number;
  readonly messages: number;
  readonly lost: number;
  readonly misplaced: number;
  readonly gaps: number;
  /** Attempts that were answered with an HTTP status. */
  readonly refusals: number;
  /** How late a timer of the clients' own process was at most, in ms: it had no CPU then. */
  readonly lateMs: number;
}

/** One client's way to the other node, in milliseconds since SIGTERM. */
export interface Move {
  readonly left: number;
  readonly back: number;
}

const RATE = 5;
const TICK_MS = 20;
/** So many clients connect at once. */
const BATCH = 100;
/** More than the kernel takes for a peer that does not read. */
const LARGE = { count: 120, bytes: 200_000 };

/** Ends the node that has all clients while another one is there. */
export async function drainTrial(options: DrainOptions): Promise<DrainResult> {
  const healthy = Array.from({ length: options.v1 + options.sse }, (_, i) => `healthy-${i}`);
  const stalledKeys = Array.from({ length: options.stalled }, (_, i) => `stalled-${i}`);
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const group = stack.use(
    await NodeGroup.startMany(2, {
      REDIS_URL: redis.url,
      EMBEDDED_KEYS: [...healthy, ...stalledKeys].join(","),
      REDIS_CHANNEL: "",
      DRAIN_SECONDS: String(options.drainSeconds),
      MAX_BUFFERED_BYTES: String(64 << 20), // A client that does not read is not cut off.
    }),
  );
  const { port, internalPort } = group;
  const [going, staying] = group.nodes;
  // All clients come to the first node.
  staying!.kill("SIGTERM");
  await staying!.ended;
  const proxy = stack.use(await startProxy("haproxy", { port, internalPort }));
  const clients: RollingClient[] = [];
  const everyoneIsOpen = () =>
    waitFor("everyone to be connected", () => clients.every(({ isOpen }) => isOpen), 60_000);
  for (const [i, key] of healthy.entries()) {
    const transport = i < options.v1 ? "websocket" : "sse";
    clients.push(stack.use(new RollingClient(proxy.url, { key, transport })));
    if (clients.length % BATCH === 0) await everyoneIsOpen();
  }
  await everyoneIsOpen();
  const stalled = await Promise.all(
    stalledKeys.map(async (key, i) =>
      stack.use(await StalledClient.open(port, key, { v1: i % 3 === 0, sse: i % 3 === 1 }))
    ),
  );
  await group.restart(1);
  await waitFor("the proxy to know the second node", () => isUsed(proxy), 30_000);

  const { redis: backend } = stack.use(await openBackend(redis.url));
  const fill = JSON.stringify({ recipients: stalledKeys, x: "x".repeat(LARGE.bytes) });
  for (let i = 0; i < LARGE.count; i++) await backend.xadd("my_stream", "*", "message", fill);
  await waitFor("every stalled client to be owed something", async () => {
    return await countFull(port, stalled) === stalled.length;
  }, 30_000);
  let sent = 0;
  const sending: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    const envelope = JSON.stringify({ recipients: healthy, n: sent++ });
    sending.push(backend.xadd("my_stream", "*", "message", envelope));
  }, 1000 / RATE);
  stack.defer(() => clearInterval(timer));
  await waitFor(
    "the first message",
    () => clients.every(({ stream }) => stream.reached >= 0),
    30_000,
  );
  for (const client of clients) client.beginAccount();
  const full = await countFull(port, stalled);
  const backlog = await metric(internalPort, "keywire_backlog_bytes");

  let lateMs = 0;
  let tick = performance.now();
  const ticks = setInterval(() => {
    const now = performance.now();
    lateMs = Math.max(lateMs, now - tick - TICK_MS);
    tick = now;
  }, TICK_MS);
  stack.defer(() => clearInterval(ticks));
  const at = performance.now();
  going!.kill("SIGTERM");
  const { code } = await going!.ended;
  const exitMs = performance.now() - at;
  await waitFor("everyone to be back", () => clients.every(({ welcomes }) => welcomes > 0), 60_000);
  await everyoneIsOpen();
  clearInterval(timer);
  await Promise.all(sending);
  await waitFor(
    "everyone to hear the last message",
    () => clients.every(({ stream }) => stream.reached === sent - 1),
    30_000,
  );
  const moves = clients.map(({ story }) => {
    const since = story.filter((event) => event.at >= at);
    return {
      left: since.find(({ what }) => what !== "welcome")!.at - at,
      back: since.find(({ what }) => what === "welcome")!.at - at,
    };
  });
  const sum = (of: (client: RollingClient) => number) =>
    clients.reduce((total, client) => total + of(client), 0);
  return {
    code,
    exitMs,
    v1: moves.slice(0, options.v1),
    sse: moves.slice(options.v1),
    stalled: full,
    backlog,
    messages: sent,
    lost: sum(({ stream }) => sent - stream.heard),
    misplaced: sum(({ stream }) => stream.misplaced),
    gaps: sum(({ gaps }) => gaps),
    refusals: sum(({ refusals }) => refusals),
    lateMs,
  };
}

/** Whether the second node gets what comes, as the proxy's log tells: it has the fewest connections. */
async function isUsed(proxy: ProxyServer): Promise<boolean> {
  const response = await fetch(`${proxy.url}/health`);
  await response.body?.cancel();
  return (await proxy.log()).includes(" keywire/b ");
}

/** How many of `clients` have bytes in the send queue of the node's end, which their kernel does not take. */
async function countFull(port: number, clients: readonly StalledClient[]): Promise<number> {
  const full = new Set<number>();
  for (const line of (await Deno.readTextFile("/proc/net/tcp")).split("\n").slice(1)) {
    const [, local, remote, , queues] = line.trim().split(/\s+/);
    if (queues === undefined || portOf(local!) !== port) continue;
    if (!/^0+:/.test(queues)) full.add(portOf(remote!));
  }
  return clients.filter(({ localPort }) => full.has(localPort)).length;
}

function portOf(address: string): number {
  return parseInt(address.slice(address.indexOf(":") + 1), 16);
}

async function metric(internalPort: number, name: string): Promise<number> {
  const text = await (await fetch(`http://${NODE_HOSTS[0]}:${internalPort}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1]);
}
