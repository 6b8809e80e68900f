/** A rolling restart of nodes with `REBALANCE=1`, and what its clients and backends see of the moves. */
import { Redis } from "ioredis";
import { openBackend } from "../support/redis_client.ts";
import { startRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";
import { NodeGroup } from "./node_group.ts";
import { NodeLoads } from "./node_loads.ts";
import { type Edit, NODE_HOSTS, type ProxyKind, startProxy } from "./proxies.ts";
import { RollingClient } from "./rolling_client.ts";

/** What is restarted, and what stands before it. */
export interface RebalanceOptions {
  readonly kind: Extract<ProxyKind, "nginx" | "haproxy">;
  /** How the proxy chooses a node. */
  readonly balance: "leastconn" | "roundrobin";
  readonly nodes: 2 | 3;
  readonly clients: number;
  /** The part of the clients that listens by server-sent events, 0 to 1. */
  readonly sse: number;
  /** Messages to everyone, a second, by each way in. */
  readonly rate: number;
  /** How long the nodes may take to even out, in ms. */
  readonly withinMs: number;
  /** Called with a line for people now and then. */
  readonly onProgress?: (line: string) => void;
}

/** What happened, from the end of the restart on. */
export interface RebalanceResult {
  /** The largest share that a node had when all had just come back, and at the end; 0 to 1. */
  readonly shares: { readonly before: number; readonly after: number };
  /** From the end of the restart until no node had more than its limit, in ms; NaN: never. */
  readonly evenMs: number;
  /** Clients that were told to move, in all; in the busiest second as a part of a node's clients. */
  readonly told: number;
  readonly mostToldInSecond: number;
  /** Clients that were told to move though the nodes had been even for 10 s. */
  readonly toldLate: number;
  /** How often a client was connected anew, in all and the most that one was. */
  readonly moves: number;
  readonly mostMoves: number;
  /** How often one by server-sent events was. */
  readonly sseMoves: number;
  /** The longest time that a client which moved was without a connection. */
  readonly longestAwayMs: number;
  /** What that client met, from the end of the restart on. */
  readonly slowest: string;
  /** Messages of the stream and of the channel that a client never heard; those out of place. */
  readonly lost: number;
  readonly misplaced: number;
  readonly messages: number;
  /** Clients that were told of a gap, during the restart and after it. */
  readonly gaps: { readonly restart: number; readonly moves: number };
  /** Recipients whose notices were not `connected` before the end and `disconnected` after it. */
  readonly falseNotices: readonly string[];
}

/** What a node may have at most, as a part of all. */
export function mostShare(nodes: number): number {
  return 1.2 / nodes;
}

/** How long no client may be told to move until the nodes count as settled, in milliseconds. */
const REST_MS = 20_000;
/** Later than a node's `PRESENCE_GRACE_SECONDS` and a sweep. */
const GONE_MS = 40_000;
/** So many clients connect at once. */
const BATCH = 100;

/** Restarts every node in turn under load, and watches until the moves have come to rest. */
export async function rebalance(options: RebalanceOptions): Promise<RebalanceResult> {
  const { kind, nodes: count, clients: size, sse, rate, withinMs, onProgress = () => {} } = options;
  const keys = Array.from({ length: size }, (_, i) => `key-of-${i}`);
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const group = stack.use(
    await NodeGroup.startMany(count, {
      REDIS_URL: redis.url,
      EMBEDDED_KEYS: keys.join(","),
      REBALANCE: "1",
      PRESENCE_GRACE_SECONDS: "10",
    }),
  );
  const backend = stack.use(await openBackend(redis.url));
  const notices = stack.use(await Notices.listen(redis.url));
  const { port, internalPort } = group;
  const edits = [...balanceEdits(options), ...count === 3 ? thirdNode(kind, port) : []];
  const proxy = stack.use(await startProxy(kind, { port, internalPort, edits }));
  const clients: RollingClient[] = [];
  const everyoneIsOpen = () =>
    waitFor("everyone to be connected", () => clients.every(({ isOpen }) => isOpen), 90_000);
  for (const [i, key] of keys.entries()) {
    const transport = i < sse * size ? "sse" : "websocket";
    clients.push(stack.use(new RollingClient(proxy.url, { key, transport })));
    if (clients.length % BATCH === 0) await everyoneIsOpen();
  }
  await everyoneIsOpen();

  let sent = 0;
  const sending: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    sending.push(
      backend.redis.xadd("my_stream", "*", "message", `{"recipients":"*","n":${sent}}`),
      backend.redis.publish("my_channel", `{"recipients":"*","c":${sent}}`),
    );
    sent++;
  }, 1000 / rate);
  stack.defer(() => clearInterval(timer));
  const all = (series: "stream" | "channel", serial: number) => () =>
    clients.every((client) => client[series].reached >= serial || client.hasGivenUp);
  await waitFor("the first message", all("stream", 0), 60_000);
  for (const client of clients) client.beginAccount();
  for (let index = 0; index < count; index++) {
    onProgress(`restarting node ${index + 1}`);
    await group.restart(index);
    await everyoneIsOpen();
    // As docs/deploying.md says: until the proxy has asked /ready again.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
  const gapsOfRestart = sum(clients, ({ gaps }) => gaps);
  for (const client of clients) client.beginAccount();
  const evenedFrom = performance.now();
  const loads = stack.use(new NodeLoads(NODE_HOSTS.slice(0, count), internalPort));
  await loads.untilRest({ most: mostShare(count), restMs: REST_MS, withinMs, onProgress });

  clearInterval(timer);
  await Promise.all(sending);
  await everyoneIsOpen();
  await waitFor("everyone to hear the last message", all("stream", sent - 1), 60_000);
  await waitFor("everyone to hear the last one of the channel", all("channel", sent - 1), 60_000);
  const end = performance.now();
  for (const client of clients) client[Symbol.dispose]();
  await waitFor(
    "all to be announced as gone",
    () => keys.every((key) => notices.of(key).some(({ at, what }) => what === GONE && at >= end)),
    GONE_MS,
  );
  const slowest = clients.reduce((one, other) =>
    other.longestAwayMs > one.longestAwayMs ? other : one
  );
  const ofSse = clients.slice(0, Math.ceil(sse * size));
  return {
    ...loads.result(mostShare(count)),
    moves: sum(clients, ({ welcomes }) => welcomes),
    mostMoves: Math.max(...clients.map(({ welcomes }) => welcomes)),
    sseMoves: sum(ofSse, ({ welcomes }) => welcomes),
    messages: 2 * sent,
    lost: sum(clients, ({ stream, channel }) => 2 * sent - stream.heard - channel.heard),
    misplaced: sum(clients, ({ stream, channel }) => stream.misplaced + channel.misplaced),
    gaps: { restart: gapsOfRestart, moves: sum(clients, ({ gaps }) => gaps) },
    longestAwayMs: slowest.longestAwayMs,
    slowest: slowest.story.filter(({ at }) => at >= evenedFrom)
      .map(({ what, at }) => `${what} ${time(at - evenedFrom)}`).join(", "),
    falseNotices: keys.flatMap((key, i) => {
      const all = notices.of(key);
      const isRight = all.length === 2 && all[0]!.what === THERE && all[1]!.at >= end;
      if (isRight) return [];
      const story = [...all, ...clients[i]!.story].sort((a, b) => a.at - b.at);
      return [`${key}: ${story.map(({ what, at }) => `${what} ${time(at - end)}`).join(", ")}`];
    }),
  };
}

const THERE = "connected";
const GONE = "disconnected";

/** The notices of every recipient, and when they came. */
class Notices implements Disposable {
  readonly #redis: Redis;
  readonly #heard = new Map<string, { what: string; at: number }[]>();

  private constructor(redis: Redis) {
    this.#redis = redis;
    redis.on("message", (what: string, key: string) => {
      this.#heard.set(key, [...this.of(key), { what, at: performance.now() }]);
    });
  }

  static async listen(url: string): Promise<Notices> {
    const redis = new Redis(url);
    const notices = new Notices(redis);
    await redis.subscribe(THERE, GONE);
    return notices;
  }

  of(key: string): readonly { what: string; at: number }[] {
    return this.#heard.get(key) ?? [];
  }

  [Symbol.dispose](): void {
    this.#redis.disconnect();
  }
}

/** For people: milliseconds as seconds. */
function time(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function balanceEdits({ kind, balance }: RebalanceOptions): Edit[] {
  if (balance === "leastconn") return [];
  return kind === "nginx"
    ? [[/ *least_conn;\n/, ""]]
    : [[/balance leastconn/, "balance roundrobin"]];
}

function thirdNode(kind: ProxyKind, port: number): Edit[] {
  const address = `${NODE_HOSTS[2]}:${port}`;
  return kind === "nginx"
    ? [[/( *server \S+ max_fails=0;\n)(?! *server)/, `$1  server ${address} max_fails=0;\n`]]
    : [[/( *server b .*\n)/, `$1  server c ${address}\n`]];
}

function sum(clients: readonly RollingClient[], of: (client: RollingClient) => number): number {
  return clients.reduce((total, client) => total + of(client), 0);
}
