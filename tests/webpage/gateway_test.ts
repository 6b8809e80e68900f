import { assert, assertEquals, assertMatch } from "@std/assert";
import { MongoClient } from "mongodb";
import { openSocket, publish } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { Proxy } from "../support/proxy.ts";
import { startRedis } from "../support/redis.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { ClientProgram } from "./client_program.ts";

/** Each runtime by itself, and each transport in the one that has both. */
const CLIENTS = [
  { runtime: "Deno", transport: "auto" },
  { runtime: "Deno", transport: "sse" },
  { runtime: "Node", transport: "auto" }, // before Node 22 this is an event stream
] as const;
const UPGRADE = /^Upgrade: websocket\r\n/im;
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
  assert(ms < 5_000, `it took ${ms} ms`);
});
