import { assert, assertEquals, assertMatch } from "@std/assert";
import { MongoClient } from "mongodb";
import { openSocket, publish } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { Proxy } from "../support/proxy.ts";
import { startRedis } from "../support/redis.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { Keywire } from "../../webpage/keywire.js";
import { ClientProgram } from "./client_program.ts";

/** Each runtime by itself, and each transport in the one that has both. */
const CLIENTS = [
  { runtime: "Deno", transport: "auto" },
  { runtime: "Deno", transport: "sse" },
  { runtime: "Node", transport: "auto" }, // before Node 22 this is an event stream
] as const;
const UPGRADE = /^Upgrade: websocket\r\n/im;
const TOKEN = "0123456789abcdef0123456789abcdef";
const FAST = { minDelayMs: 50, maxDelayMs: 500 };

Deno.test("A client resumes behind the last message when its node has restarted", async () => {
  await using redis = await startRedis();
  const env = {
    REDIS_URL: redis.url,
    REDIS_CHANNEL: "", // what a node without a past cannot vouch for
    EMBEDDED_KEYS: "a,b",
    PORT: String(freePort()),
  };
  const append = (n: number) =>
    redis.tell("XADD", "my_stream", "*", "message", `{"recipients":"*","n":${n}}`);
  await using stack = new AsyncDisposableStack();
  let gateway = stack.use(await startKeywire(env));
  const clients = CLIENTS.map(({ runtime, transport }) =>
    stack.use(new ClientProgram(runtime, gateway.url, { key: "a", transport, ...FAST }))
  );
  await Promise.all(clients.map((client) => client.until("welcome")));
  await append(0);
  await Promise.all(clients.map((client) => client.until("message")));
  gateway.kill();
  await Promise.all(clients.map((client) => client.until("close")));
  await append(1);
  await append(2);
  await gateway.ended;
  gateway = stack.use(await startKeywire(env));
  const welcomes = await Promise.all(clients.map((client) => client.until("welcome", 2)));
  assertEquals(welcomes.map(({ recovered }) => recovered), [true, true, true]);
  await append(3);
  for (const client of clients) {
    await client.until("message", 4);
    assertEquals(client.of("message").map(({ data }) => data), [0, 1, 2, 3].map((n) => ({ n })));
    assertEquals(client.of("gap"), []);
  }
});

Deno.test("A client with an unknown key closes, says why, and lets its program end", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "known" });
  await Promise.all(CLIENTS.map(async ({ runtime, transport }) => {
    await using client = new ClientProgram(runtime, gateway.url, { key: "unknown", transport });
    const { code, reason, retry } = await client.until("close");
    assertEquals({ code, retry }, { code: 403, retry: false });
    assertMatch(String(reason), /the key is not known/);
    assertEquals(await client.ended, 0);
    assertEquals(client.of("state").at(-1)?.state, "closed");
  }));
});

Deno.test("A client closes when its key is removed", async () => {
  await using mongodb = await startMongodb();
  await using database = new MongoClient(mongodb.url);
  const name = `client${crypto.randomUUID().slice(0, 8)}`;
  const keys = database.db(name).collection<{ _id: string }>("myCollection");
  await keys.insertOne({ _id: "a" });
  await using gateway = await startKeywire({
    MONGODB_URL: mongodb.url,
    MONGODB_DATABASE: name,
    REVALIDATE_SECONDS: "1",
  });
  await using socket = new ClientProgram("Deno", gateway.url, { key: "a" });
  await using stream = new ClientProgram("Node", gateway.url, { key: "a", transport: "sse" });
  await Promise.all([socket, stream].map((client) => client.until("welcome")));
  await keys.deleteOne({ _id: "a" });
  const { code, reason, retry } = await socket.until("close");
  assertEquals({ code, reason, retry }, { code: 4403, reason: "revoked", retry: false });
  assertEquals(await socket.ended, 0);
  // An event stream has no close codes: it ends, and its client is refused when it comes again.
  const end = await stream.until("close");
  assertEquals({ code: end.code, retry: end.retry }, { code: 1005, retry: true });
});

Deno.test("A client obeys a draining node, and comes when there is another", async () => {
  const env = { EMBEDDED_KEYS: "a,b", PORT: String(freePort()), DRAIN_SECONDS: "60" };
  await using stack = new AsyncDisposableStack();
  let gateway = stack.use(await startKeywire(env));
  using _plain = await openSocket(gateway.url, "b"); // with it, draining takes its time
  gateway.kill("SIGTERM");
  await waitFor("the node to drain", async () => {
    const response = await fetch(`${gateway.url}/ready`);
    await response.body?.cancel();
    return response.status === 503;
  });
  const clients = CLIENTS.map(({ runtime, transport }) =>
    stack.use(new ClientProgram(runtime, gateway.url, { key: "a", transport, ...FAST }))
  );
  for (const client of clients) {
    const { code, reason, retry, retryMs } = await client.until("close");
    assertEquals({ code, retry }, { code: 503, retry: true });
    assertMatch(String(reason), /going away/);
    assert(Number(retryMs) >= 1000 && Number(retryMs) <= 1050, `${retryMs} ms`);
  }
  gateway.kill("SIGTERM"); // at once
  await gateway.ended;
  gateway = stack.use(await startKeywire(env));
  await Promise.all(clients.map((client) => client.until("welcome")));
});

Deno.test("A client that fell back hears in time while its next WebSocket is swallowed", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "a" });
  await using proxy = new Proxy(gateway.port);
  proxy.rewrite((request) => request.replace(UPGRADE, ""));
  const swallowed = Promise.withResolvers<void>();
  await using client = new ClientProgram("Deno", `http://127.0.0.1:${proxy.port}`, {
    key: "a",
    upgradeMs: 1_000,
    ...FAST,
  });
  await client.until("welcome");
  proxy.drop((request) => {
    const isUpgrade = UPGRADE.test(request);
    if (isUpgrade) swallowed.resolve();
    return isUpgrade;
  });
  await swallowed.promise;
  const sentAt = performance.now();
  const published = await publish(gateway.url, { recipients: ["a"], n: 1 });
  await published.body?.cancel();
  await client.until("message");
  const ms = performance.now() - sentAt;
  // The WebSocket would be given up after 15 s.
  assert(ms < 10_000, `it took ${ms} ms`);
});

Deno.test("A client that begins at a printed cursor misses nothing of what its state lacks", async () => {
  await using redis = await startRedis();
  await using gateway = await startKeywire({
    REDIS_URL: redis.url,
    EMBEDDED_KEYS: "a",
    API_TOKEN: TOKEN,
  });
  let state = 0; // the backend's database
  let writing = true;
  const writer = (async () => {
    while (writing) {
      state++;
      const envelope = `{"recipients":["a"],"n":${state}}`;
      if (state % 2 === 0) await redis.tell("PUBLISH", "my_channel", envelope);
      else await redis.tell("XADD", "my_stream", "*", "message", envelope);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  const clients: { client: Keywire; rendered: number; heard: Set<number>; gaps: number }[] = [];
  try {
    for (let n = 0; n < 20; n++) {
      const response = await fetch(`${gateway.url}/api/cursor`, {
        headers: { authorization: `Bearer ${TOKEN}` },
      });
      assertEquals(response.status, 200);
      const { cursor } = await response.json();
      const rendered = state;
      await waitFor("messages before the page connects", () => state > rendered + 10);
      const transport = n % 2 === 0 ? "websocket" : "sse";
      const client = new Keywire(gateway.url, { key: "a", cursor, transport, gapJitterMs: 0 });
      const entry = { client, rendered, heard: new Set<number>(), gaps: 0 };
      client.on("message", ({ data }) => entry.heard.add(data.n as number));
      client.on("gap", () => entry.gaps++);
      clients.push(entry);
    }
    const goal = state + 20;
    await waitFor("messages behind them", () => clients.every(({ heard }) => heard.has(goal)));
    writing = false;
    await writer;
    for (const { rendered, heard, gaps } of clients) {
      const lacked = Array.from({ length: state - rendered }, (_, n) => rendered + 1 + n);
      await waitFor("all that the state lacks", () => lacked.every((n) => heard.has(n)));
      assertEquals(gaps, 0);
    }
  } finally {
    writing = false;
    for (const { client } of clients) client.close();
  }
});
