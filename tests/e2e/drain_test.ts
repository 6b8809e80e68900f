import { assert, assertEquals } from "@std/assert";
import { handshake, items, openEvents, openSocket } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { trustRegistry } from "../support/presence.ts";
import { startRedis } from "../support/redis.ts";
import { openBackend } from "../support/redis_client.ts";
import { StalledClient } from "../support/stalled_client.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";

const DRAIN_MS = 3_000;
/**
 * How much later than it should a busy machine may do something, here and where the node also waits
 * half a second for a Redis that does not answer. Without the end that is tested it would take a minute,
 * or for ever; how exactly a drain keeps its time is tested by a clock that the test holds.
 */
const LATE_MS = 3_000;

/** A gateway with a key each for `count` clients. */
async function start(
  env: Record<string, string>,
  count = 1,
): Promise<{ gateway: KeywireProcess; keys: string[] }> {
  const keys = Array.from({ length: count }, (_, i) => `key${i}`);
  const gateway = await startKeywire({
    EMBEDDED_KEYS: keys.join(","),
    DRAIN_SECONDS: String(DRAIN_MS / 1000),
    MAX_BUFFERED_BYTES: String(64 << 20), // who does not read is not cut off
    ...env,
  });
  return { gateway, keys };
}

/** Sends SIGTERM. Returns how long ago that was. */
function terminate(gateway: KeywireProcess): () => number {
  const start = performance.now();
  gateway.kill("SIGTERM");
  return () => performance.now() - start;
}

/** Fills the buffers of a client that does not read. */
async function stall(gateway: KeywireProcess, key: string, redis: string): Promise<StalledClient> {
  const client = await StalledClient.open(gateway.port, key);
  await using backend = await openBackend(redis);
  const envelope = `{"recipients":["${key}"],"x":"${"x".repeat(200_000)}"}`;
  for (let n = 0; n < 80; n++) await backend.redis.publish("my_channel", envelope);
  await waitFor("something to wait for it", async () => {
    return (await gateway.metrics()).get("keywire_backlog_bytes")! > 0;
  });
  return client;
}

together("SIGTERM sends every client away in time", {
  "each as its protocol has it, spread over the time there is": async () => {
    await using redis = await startRedis();
    await trustRegistry(redis);
    const { gateway, keys } = await start({ REDIS_URL: redis.url }, 61);
    await using _ = gateway;
    const backend = await openBackend(redis.url, { channels: ["disconnected"] });
    await using __ = backend;
    const v1 = await Promise.all(
      keys.slice(0, 20).map((key) => {
        return openSocket(gateway.url, key, { v1: true });
      }),
    );
    const plain = await Promise.all(keys.slice(20, 40).map((key) => openSocket(gateway.url, key)));
    const sse = await Promise.all(keys.slice(40, 60).map((key) => openEvents(gateway.url, key)));
    using _stalled = await stall(gateway, keys[60]!, redis.url);

    const since = terminate(gateway);
    const closing = Promise.all([...v1, ...plain].map(async ({ closed }) => {
      const { code } = await closed;
      return { code, at: since() };
    }));
    const ending = Promise.all(sse.map(async ({ ended }) => {
      return { error: await ended, at: since() };
    }));
    const retries = await Promise.all(v1.map(async ({ events }) => {
      const event = (await items(events, 2))[1]!;
      assertEquals(event.type, "reconnect");
      return event.retryMs as number;
    }));
    assertSpread(retries, DRAIN_MS);
    await refusedEverywhere(gateway, keys[0]!);
    const closes = await closing;
    assertEquals(new Set(closes.map(({ code }) => code)), new Set([1012]));
    assertSpread(closes.slice(20).map(({ at }) => at), DRAIN_MS);
    // Who was told a time is given it, and a moment more to close by itself.
    closes.slice(0, 20).forEach(({ at }, i) => assert(at > retries[i]!, `${at} ${retries[i]}`));
    const ends = await ending;
    assertSpread(ends.map(({ at }) => at), DRAIN_MS);
    assertEquals(ends.filter(({ error }) => error !== undefined), []);
    for (const { blocks } of sse) assert(/^retry: \d+$/m.test(blocks.join("\n")));

    assertEquals((await gateway.ended).code, 0);
    assert(since() < DRAIN_MS + LATE_MS, `it took ${since()} ms`);
    await waitFor("the notices", () => backend.heard.length >= keys.length);
    assertEquals([...backend.heard].sort(), keys.map((key) => `disconnected ${key}`).sort());
  },
  "though some do not read and Redis is dead or frozen": async () => {
    await Promise.all((["kill", "freeze"] as const).map(async (fault) => {
      await using redis = await startRedis();
      await trustRegistry(redis);
      const { gateway, keys } = await start({ REDIS_URL: redis.url }, 2);
      await using _ = gateway;
      using _stalled = await stall(gateway, keys[0]!, redis.url);
      using client = await openSocket(gateway.url, keys[1]!);
      await redis[fault]();
      const since = terminate(gateway);
      assertEquals((await client.closed).code, 1012);
      assertEquals((await gateway.ended).code, 0);
      assert(since() < DRAIN_MS + LATE_MS, `it took ${since()} ms`);
    }));
  },
  "at once when no client is connected": async () => {
    const { gateway } = await start({ DRAIN_SECONDS: "60" });
    await using _ = gateway;
    const since = terminate(gateway);
    assertEquals((await gateway.ended).code, 0);
    assert(since() < LATE_MS, `it took ${since()} ms`);
  },
  "before its time is over when all have gone by themselves": async () => {
    const { gateway } = await start({ DRAIN_SECONDS: "60" });
    await using _ = gateway;
    const clients = await Promise.all(
      Array.from({ length: 10 }, () => openSocket(gateway.url, "key0", { v1: true })),
    );
    const since = terminate(gateway);
    for (const { events, socket } of clients) {
      await items(events, 2);
      socket.close();
    }
    assertEquals((await gateway.ended).code, 0);
    assert(since() < 5_000, `it took ${since()} ms`);
  },
  "in no time when there is none": async () => {
    const { gateway } = await start({ DRAIN_SECONDS: "0" });
    await using _ = gateway;
    using client = await openSocket(gateway.url, "key0");
    using stream = await openEvents(gateway.url, "key0");
    const since = terminate(gateway);
    assertEquals((await client.closed).code, 1012);
    assertEquals(await stream.ended, undefined);
    assertEquals((await gateway.ended).code, 0);
    assert(since() < LATE_MS, `it took ${since()} ms`);
  },
  "and a second signal ends it at once": async () => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      const { gateway } = await start({ DRAIN_SECONDS: "60" });
      await using _ = gateway;
      using client = await openSocket(gateway.url, "key0", { v1: true });
      const since = terminate(gateway);
      await items(client.events, 2);
      gateway.kill(signal);
      assertEquals((await gateway.ended).code, 0);
      assert(since() < LATE_MS, `it took ${since()} ms`);
    }
  },
});

/** A client that comes now is told to come back. */
async function refusedEverywhere(gateway: KeywireProcess, key: string): Promise<void> {
  const ready = await fetch(`${gateway.url}/ready`);
  assertEquals([ready.status, (await ready.json()).status], [503, "draining"]);
  const { status, text } = await handshake(gateway.port, `/websocket?${key}`);
  assertEquals(status, 503, text);
  assert(/retry-after: \d+/i.test(text), text);
  for (
    const [path, headers] of [
      [`/events?${key}`, {}],
      [`/websocket?${key}`, { "X-Socket-Transport": "xhrPolling" }],
    ] as const
  ) {
    const response = await fetch(gateway.url + path, { headers });
    await response.body?.cancel();
    assertEquals(response.status, 503);
    assert(Number(response.headers.get("Retry-After")) > 0);
  }
}

/** They are a good part of `duration` apart, and none comes after it. */
function assertSpread(times: readonly number[], duration: number): void {
  const [first, last] = [Math.min(...times), Math.max(...times)];
  assert(last - first > duration / 3, `all came from ${first} to ${last} ms of ${duration}`);
  assert(last < duration + LATE_MS, `the last came at ${last} ms of ${duration}`);
}
