import { assert, assertEquals } from "@std/assert";
import { BulletPolling } from "../support/bullet.ts";
import { becomes } from "../support/becomes.ts";
import { items, openEvents, openSocket, publish, type SocketClient } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { trustRegistry } from "../support/presence.ts";
import { startRedis } from "../support/redis.ts";
import { type Backend, openBackend } from "../support/redis_client.ts";
import { StalledClient } from "../support/stalled_client.ts";
import { waitFor } from "../support/wait.ts";

const MB = 1 << 20;
/** What is published to a client: MAX_BUFFERED_BYTES at once, which one that reads survives. */
const FLOOD = { messages: 800, bytes: 64 * 1024, bytesAtOnce: MB, everyMs: 25 };
/** What a process may grow by while it is flooded: the bound of the backlog, and what V8 has not swept. */
const MAX_GROWTH = 120 * MB;

/** A machine may be busy; a wait for a client that does not read has no end. */
const PATIENCE_MS = 60_000;

/** A message of `bytes` that spells nothing, for `recipient`. */
const filled = (recipient: string, n: number, bytes: number) =>
  `{"recipients":["${recipient}"],"n":${n},"x":"${"x".repeat(bytes)}"}`;

Deno.test("A client that never reads is cut off, and no other waits for it", async (t) => {
  const patience = findsStalledWithoutTraffic(); // It takes 30 s, beside all that follows.
  // Else Redis cuts a gateway off that a busy machine lets read 32 MB too late.
  const unlimited = ["--client-output-buffer-limit", "pubsub", "0", "0", "0"];
  await using redis = await startRedis({ args: unlimited });
  await trustRegistry(redis);
  await using gateway = await startKeywire({
    REDIS_URL: redis.url,
    EMBEDDED_KEYS: "others,reader,one,fifty,stream,poll,large",
    MAX_CONNECTIONS_PER_KEY: "1000",
    HISTORY_BYTES: `${4 * MB}`,
  });
  await using backend = await openBackend(redis.url, { channels: ["disconnected"] });
  using others = await openOthers(gateway, 500);
  const bench = { gateway, backend, others };

  await t.step("one that reads gets all of it", () => floodReader(bench));

  const cutOff = (key: string, count: number, sse: boolean) => async () => {
    using clients = await openStalled(gateway, key, { count, sse });
    await flood(bench, key);
    await becomes(() => closedAs(gateway, 4408), clients.before + count);
    const notice = `disconnected ${key}`;
    await waitFor("the notice", () => backend.heard.includes(notice));
    assertEquals(backend.heard.filter((heard) => heard === notice).length, 1);
    // They are zombies, and take their places until their peers are really gone.
    const places = async () => (await gateway.metrics()).get("keywire_connection_slots_used");
    // Of a stream that was cut the runtime may let go at once, and then its slot is free.
    const taken = await places() ?? 0;
    assert(sse ? taken >= 500 && taken <= 500 + count : taken === 500 + count, `${taken} slots`);
    clients[Symbol.dispose]();
    await waitFor("the places to be given back", async () => await places() === 500);
  };
  await t.step("one that never reads is cut off", cutOff("one", 1, false));
  await t.step("fifty that never read are cut off", cutOff("fifty", 50, false));
  await t.step("fifty event streams that are never read are cut off", cutOff("stream", 50, true));

  await t.step("who polls and never comes back is cut off, and may come again", async () => {
    const poller = new BulletPolling(`${gateway.url}/websocket?poll`);
    await poller.opened;
    poller[Symbol.dispose]();
    const before = await closedAs(gateway, 4408);
    await flood(bench, "poll");
    await waitFor("the notice", () => backend.heard.includes("disconnected poll"));
    await becomes(() => closedAs(gateway, 4408), before + 1);
    using again = new BulletPolling(`${gateway.url}/websocket?poll`);
    await again.opened;
    await backend.redis.publish("my_channel", filled("poll", 1, 1));
    assertEquals(await items(again.messages, 1), ['{"n":1,"x":"x"}']);
  });

  await t.step("one message of the largest size closes no connection", async () => {
    using plain = await openSocket(gateway.url, "large");
    using v1 = await openSocket(gateway.url, "large", { v1: true });
    using sse = await openEvents(gateway.url, "large");
    const empty = filled("large", 1, 0);
    const largest = filled("large", 1, 262_144 - empty.length);
    for (let n = 0; n < 3; n++) await backend.redis.publish("my_channel", largest);
    await items(plain.frames, 3);
    await waitFor("three messages", () => v1.events.length === 4 && sse.messages.length === 3);
    assertEquals(plain.frames[2]!.length, largest.length - '"recipients":["large"],'.length);
    assertEquals(plain.socket.readyState, WebSocket.OPEN);
  });

  await t.step("who is stalled is found in half a minute though nothing more is sent", async () => {
    const { code, sinceFirst, sinceLast } = await patience;
    assertEquals(code, 4408);
    assert(sinceFirst > 29_000, `it took ${sinceFirst} ms since the first message`);
    assert(sinceLast < 42_000, `it took ${sinceLast} ms since the last message`);
  });
});

/** What the others hear, and when. */
interface Others extends Disposable {
  /** Each hears a message every 50 ms, from here to the end of `task`. */
  hearMeanwhile(backend: Backend, task: () => Promise<void>): Promise<void>;
}

async function openOthers(gateway: KeywireProcess, count: number): Promise<Others> {
  const clients: SocketClient[] = [];
  let heard = 0;
  for (let i = 0; i < count; i++) {
    const client = await openSocket(gateway.url, "others");
    client.socket.onmessage = () => heard++;
    clients.push(client);
  }
  return {
    async hearMeanwhile(backend, task) {
      heard = 0;
      let sent = 0;
      const timer = setInterval(() => {
        sent++;
        backend.redis.publish("my_channel", `{"recipients":["others"],"n":${sent}}`);
      }, 50);
      await task();
      clearInterval(timer);
      await waitFor("all to have heard all", () => heard === sent * count, PATIENCE_MS);
    },
    [Symbol.dispose]: () => clients.forEach((client) => client.socket.close()),
  };
}

interface Bench {
  readonly gateway: KeywireProcess;
  readonly backend: Backend;
  readonly others: Others;
}

/** Floods a client that reads, which gets all of it. */
async function floodReader(bench: Bench): Promise<void> {
  using reader = await openSocket(bench.gateway.url, "reader");
  await flood(bench, "reader");
  await waitFor("all of it", () => reader.frames.length === FLOOD.messages, PATIENCE_MS);
  assertEquals(reader.frames.map((frame) => JSON.parse(frame).n), [
    ...Array(FLOOD.messages).keys(),
  ]);
}

/**
 * Publishes 50 MB to `key`, and meanwhile a message to all others every 50 ms.
 * @throws when the gateway's memory grows with it, or one of the others waits without an end
 */
async function flood({ gateway, backend, others }: Bench, key: string): Promise<void> {
  const start = await residentBytes(gateway);
  let peak = start;
  await others.hearMeanwhile(backend, async () => {
    for (let n = 0; n < FLOOD.messages;) {
      const turn = new Promise((resolve) => setTimeout(resolve, FLOOD.everyMs));
      const pipeline = backend.redis.pipeline();
      for (let bytes = 0; bytes < FLOOD.bytesAtOnce; bytes += FLOOD.bytes) {
        pipeline.publish("my_channel", filled(key, n++, FLOOD.bytes));
      }
      await pipeline.exec();
      peak = Math.max(peak, await residentBytes(gateway));
      await turn;
    }
  });
  const growth = peak - start;
  assert(growth < MAX_GROWTH, `the process grew by ${growth} bytes`);
}

async function openStalled(
  gateway: KeywireProcess,
  key: string,
  { count, sse }: { count: number; sse: boolean },
): Promise<Disposable & { before: number }> {
  const before = await closedAs(gateway, 4408);
  const clients = await Promise.all(
    Array.from({ length: count }, () => StalledClient.open(gateway.port, key, { sse })),
  );
  return {
    before,
    [Symbol.dispose]: () => clients.forEach((client) => client[Symbol.dispose]()),
  };
}

/** How long a stalled client is kept to whom nothing is sent any more, and how it is told. */
async function findsStalledWithoutTraffic(): Promise<
  { sinceFirst: number; sinceLast: number; code: number | undefined }
> {
  await using gateway = await startKeywire({ MAX_BUFFERED_BYTES: `${64 * MB}` });
  using client = await StalledClient.open(gateway.port, "demo", { v1: true });
  const first = performance.now();
  for (let n = 0; n < 250; n++) {
    const response = await publish(gateway.url, filled("demo", n, FLOOD.bytes));
    await response.body?.cancel();
  }
  const last = performance.now();
  await waitFor("it to be cut off", async () => await closedAs(gateway, 4408) === 1, 50_000);
  const now = performance.now();
  const { code } = await client.readOn();
  return { sinceFirst: now - first, sinceLast: now - last, code };
}

async function closedAs(gateway: KeywireProcess, code: number): Promise<number> {
  return (await gateway.metrics()).get(`keywire_connections_closed_total{code="${code}"}`) ?? 0;
}

async function residentBytes({ pid }: KeywireProcess): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) * 1024;
}
