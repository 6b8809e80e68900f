import { assert, assertEquals, assertRejects } from "@std/assert";
import { items, openEvents, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { Proxy } from "../support/proxy.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { together } from "../support/together.ts";
import { freePort, waitFor } from "../support/wait.ts";

const HOST = "127.0.0.1";

together("Resumptions", {
  "tell a client whose beat no node knows at once, not at the next regular beat": async () => {
    await using redis = await startRedis();
    await using node = await startKeywire({ HOST, REDIS_URL: redis.url });
    const times: number[] = [];
    for (let client = 0; client < 5; client++) {
      const started = performance.now();
      using client = await openSocket(node.url, "demo", { v1: true, after: "0-0~stranger-1~0" });
      const [welcome] = await items(client.events, 1);
      times.push(performance.now() - started);
      assertEquals([welcome!.type, welcome!.recovered], ["welcome", false]);
    }
    // At regular beats they would be told 3 s one after the other, however quick the first one is.
    assert(Math.min(...times.slice(1)) < 2_000, `they were told after ${times} ms`);
  },

  "welcome a client that is ahead when the node gets there, and tell it nothing twice":
    async () => {
      await using redis = await startRedis();
      await using network = new Proxy(redis.port);
      const env = { HOST, REDIS_CHANNEL: "" };
      await using ahead = await startKeywire({ ...env, REDIS_URL: redis.url });
      await using behind = await startKeywire({
        ...env,
        REDIS_URL: `redis://${HOST}:${network.port}`,
      });
      using first = await openSocket(ahead.url, "demo", { v1: true });
      await append(redis, 1);
      await items(first.events, 2);
      network.hold();
      await append(redis, 2);
      const [, , last] = await items(first.events, 3);
      const after = String(last!.cursor);
      using socket = await openSocket(behind.url, "demo", { v1: true, after });
      using stream = await openEvents(behind.url, "demo", { lastEventId: after });
      await append(redis, 3);
      for (const text of ["ping", "ping", "ping", "the end"]) socket.socket.send(text);
      await waitFor("all of it to be heard", async () => {
        return (await behind.metrics()).get("keywire_client_texts_ignored_total");
      });
      assertEquals([socket.events, stream.blocks], [[], []]);
      network.release();
      const events = await items(socket.events, 3);
      const [welcome, ...rest] = events.map(({ type, message }) => message ?? type);
      assertEquals(welcome, "welcome");
      // The pong is ahead where the third entry came later than the second one.
      assertEquals(rest.toSorted(), [{ n: 3 }, "pong"]);
      assertEquals([events[0]!.recovered, events[0]!.cursor], [true, after]);
      await items(stream.blocks, 2);
      assertEquals(stream.messages, ['{"n":3}']);
      await append(redis, 4);
      const [, , , fourth] = await items(socket.events, 4);
      assertEquals(fourth!.message, { n: 4 }, "what a client says while it waits must not pile up");
    },

  "make a client wait until the window is read": async () => {
    const env = { HOST, REDIS_URL: `redis://${HOST}:${freePort()}` };
    await using node = await startKeywire(env, { ready: false });
    const refused = await fetch(`${node.url}/events?demo`, { headers: { "Last-Event-ID": "1" } });
    await refused.body?.cancel();
    assertEquals([refused.status, refused.headers.get("Retry-After")], [503, "1"]);
    await assertRejects(() => openSocket(node.url, "demo", { v1: true, after: "0-0~~0" }));
    using fresh = await openSocket(node.url, "demo", { v1: true });
    await items(fresh.events, 1);
  },

  "go by Last-Event-ID where a browser brings an older cursor too": async () => {
    await using redis = await startRedis();
    await using node = await startKeywire({ HOST, REDIS_URL: redis.url, REDIS_CHANNEL: "" });
    using first = await openSocket(node.url, "demo", { v1: true });
    for (let n = 1; n <= 3; n++) await append(redis, n);
    const events = await items(first.events, 4);
    const [after, lastEventId] = [events[1], events[2]].map((event) => String(event!.cursor));
    using stream = await openEvents(node.url, "demo", { after: after!, lastEventId: lastEventId! });
    await append(redis, 4);
    await items(stream.messages, 2);
    assertEquals(stream.messages, ['{"n":3}', '{"n":4}']);
  },
});

async function append(redis: RedisServer, n: number): Promise<void> {
  await redis.tell("XADD", "my_stream", "*", "message", `{"recipients":["demo"],"n":${n}}`);
}
