/** A rolling restart of two nodes behind the proxies of `deploy/`, as a deploy does it. */
import { openBackend } from "../support/redis_client.ts";
import { startRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";
import { type ProxyKind, startProxy } from "./proxies.ts";
import { RollingClient } from "./rolling_client.ts";
import { NodeGroup } from "./node_group.ts";

/** What is restarted under which load. */
export interface RollingOptions {
  /** The proxies before the two nodes. */
  readonly kinds: readonly ProxyKind[];
  /** How many clients come through each; every fifth by server-sent events. */
  readonly clients: number;
  /** Messages to everyone, a second, all the while. */
  readonly rate: number;
  /** Settings of the nodes. */
  readonly env?: Record<string, string>;
}

/** What the clients of one proxy met. */
export interface RollingResult {
  readonly kind: ProxyKind;
  readonly clients: number;
  /** How many messages were sent. */
  readonly messages: number;
  /** Messages that a client never heard, over all clients. */
  readonly lost: number;
  /** Messages that came twice or out of order. */
  readonly misplaced: number;
  /** Clients that were told that something may be lost. */
  readonly gaps: number;
  /** Attempts that were answered with an HTTP status instead of a connection. */
  readonly refusals: number;
  /** Clients that gave up. */
  readonly givenUp: number;
  /** The longest time that each client was without a connection, in ms: half, 99 % and all. */
  readonly awayMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** From the SIGTERM of the last node until every client was connected, in ms. */
  readonly backMs: number;
  /** What the proxy wrote. */
  readonly log: string;
}

/** Restarts one node after the other under load, and returns what the clients of each proxy met. */
export async function rollingRestart(options: RollingOptions): Promise<RollingResult[]> {
  const { kinds, clients: count, rate, env = {} } = options;
  const keys = Array.from({ length: count }, (_, i) => `key-of-${i}`);
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const two = stack.use(
    await NodeGroup.start({ REDIS_URL: redis.url, EMBEDDED_KEYS: keys.join(","), ...env }),
  );
  const { redis: backend } = stack.use(await openBackend(redis.url));
  const proxies = [];
  for (const kind of kinds) {
    const proxy = stack.use(await startProxy(kind, two));
    const clients = keys.map((key, i) =>
      stack.use(new RollingClient(proxy.url, { key, transport: i % 5 === 0 ? "sse" : "websocket" }))
    );
    proxies.push({ proxy, clients });
  }
  const all = proxies.flatMap(({ clients }) => clients);
  await waitFor("everyone to connect", () => all.every(({ isOpen }) => isOpen), 60_000);

  let sent = 0;
  const sending: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    const envelope = `{"recipients":"*","n":${sent++}}`;
    sending.push(backend.xadd("my_stream", "*", "message", envelope));
  }, 1000 / rate);
  stack.defer(() => clearInterval(timer));
  await waitFor("the first message", () => all.every(({ stream }) => stream.reached >= 0), 30_000);
  for (const client of all) client.beginAccount();

  const first = await two.restart(0);
  await waitFor("everyone to come back", () => all.every(({ isOpen }) => isOpen), 60_000);
  // As docs/deploying.md says: until the proxy has asked /ready again.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const last = await two.restart(1);
  await waitFor("everyone to come back", () => all.every(({ isOpen }) => isOpen), 60_000);
  if (first.code + last.code !== 0) throw new Error("a node did not end with exit code 0");
  clearInterval(timer);
  await Promise.all(sending);
  await waitFor(
    "everyone to hear the last message",
    () => all.every(({ stream, hasGivenUp }) => stream.reached === sent - 1 || hasGivenUp),
    30_000,
  );
  return await Promise.all(proxies.map(async ({ proxy, clients }) => {
    const sum = (of: (client: RollingClient) => number) =>
      clients.reduce((total, client) => total + of(client), 0);
    const away = clients.map(({ longestAwayMs }) => longestAwayMs).sort((a, b) => a - b);
    return {
      kind: proxy.kind,
      clients: count,
      messages: sent,
      lost: sum(({ stream }) => sent - stream.heard),
      misplaced: sum(({ stream }) => stream.misplaced),
      gaps: sum(({ gaps }) => gaps),
      refusals: sum(({ refusals }) => refusals),
      givenUp: sum(({ hasGivenUp }) => Number(hasGivenUp)),
      awayMs: {
        p50: away[Math.floor(away.length * 0.5)]!,
        p99: away[Math.floor(away.length * 0.99)]!,
        max: away.at(-1)!,
      },
      backMs: Math.max(0, ...clients.map(({ lastWelcomeAt }) => lastWelcomeAt - last.at)),
      log: await proxy.log(),
    };
  }));
}
