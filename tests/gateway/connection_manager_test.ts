import { assert, assertEquals, assertRejects } from "@std/assert";
import { CLOSE } from "../../src/core/close_codes.ts";
import { PLAIN, SSE } from "../../src/core/format.ts";
import { welcomeRetryMs } from "../../src/gateway/connection_manager.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { Node } from "./node.ts";

Deno.test("ConnectionManager: a client is welcomed, then hears what comes", async () => {
  await using node = new Node();
  const ann = await node.connect();
  node.gateway.router.message('{"recipients":["ann"],"n":1}');
  await Promise.resolve();
  assertEquals(ann.types, ["welcome", "message"]);
});

Deno.test("ConnectionManager: a slot is held until the peer is gone, and given back once", async () => {
  await using node = new Node();
  const { limits, manager } = node.gateway;
  const ann = await node.connect();
  ann.connection.close(CLOSE.tooSlow);
  assertEquals([manager.connections.size, limits.inUse], [0, 1]);
  manager.onPeerGone(ann.client);
  manager.onPeerGone(ann.client);
  assertEquals(limits.inUse, 0);
});

Deno.test("ConnectionManager: an end is counted once, by the reason that came first", async () => {
  await using node = new Node();
  const { manager } = node.gateway;
  const ann = await node.connect();
  ann.connection.close(CLOSE.revoked);
  manager.onPeerGone(ann.client);
  assertEquals([...manager.counts.closed].filter(([, count]) => count > 0), [[4403, 1]]);
  assertEquals(ann.closed, [CLOSE.revoked]);
});

Deno.test("ConnectionManager: refusals are counted by reason", async () => {
  await using node = new Node();
  await assertRejects(() => node.connect({ key: "stranger" }));
  await assertRejects(() => node.connect({ key: "" }));
  const counted = [...node.gateway.manager.counts.refused].filter(([, count]) => count > 0);
  assertEquals(Object.fromEntries(counted), { unknown_key: 1, key: 1 });
  assertEquals(node.gateway.limits.inUse, 0);
});

Deno.test("ConnectionManager: presence hears of the first and the last connection", async () => {
  await using node = new Node();
  const clients = [await node.connect(), await node.connect()];
  for (const { connection } of clients) connection.close(CLOSE.goingAway);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(node.notices, ["connected ann", "disconnected ann"]);
});

Deno.test("ConnectionManager: an admitted client whose connection never opens gives its slot back, and is counted", async () => {
  using time = new FakeClock();
  await using node = new Node();
  const { limits, manager } = node.gateway;
  const client = await manager.admit(new Request("http://node/websocket?ann"), "192.0.2.1");
  assert(!("status" in client));
  time.tick(9_000);
  assertEquals(limits.inUse, 1);
  assertEquals(manager.counts.upgradesLost, 0);
  time.tick(10_000);
  assertEquals(limits.inUse, 0);
  assertEquals(manager.counts.upgradesLost, 1);
});

Deno.test("ConnectionManager: a client whose peer is gone before it is admitted holds nothing", async () => {
  await using node = new Node();
  const abort = new AbortController();
  const request = new Request("http://node/websocket?ann", { signal: abort.signal });
  const answer = node.gateway.manager.admit(request, "192.0.2.1");
  abort.abort();
  assert("status" in await answer);
  assertEquals(node.gateway.limits.inUse, 0);
});

Deno.test("ConnectionManager: quiet event streams are told their position, sockets are not", async () => {
  using time = new FakeClock();
  await using node = new Node();
  const clients = [await node.connect({ format: SSE }), await node.connect({ format: PLAIN })];
  const before = clients.map(({ sent }) => sent.length);
  time.tick(15_000);
  await Promise.resolve();
  assertEquals(clients.map(({ sent }, index) => sent.length - before[index]!), [1, 0]);
  assertEquals(clients[0]!.sent.at(-1)!.startsWith("event: heartbeat\n"), true);
});

Deno.test("ConnectionManager: a client that takes nothing for 30 seconds is too slow", async () => {
  using time = new FakeClock();
  await using node = new Node();
  const ann = await node.connect({ capacity: 0 });
  time.tick(25_000);
  assertEquals(ann.closed, []);
  time.tick(15_000);
  assertEquals(ann.closed, [CLOSE.tooSlow]);
});

Deno.test("ConnectionManager: a ping is answered, other texts are counted", async () => {
  await using node = new Node();
  const ann = await node.connect();
  node.gateway.manager.onPing(ann.connection);
  node.gateway.manager.onIgnoredText();
  await Promise.resolve();
  assertEquals([ann.types, node.gateway.manager.counts.ignored], [["welcome", "pong"], 1]);
});

Deno.test("welcomeRetryMs: is from 2,000 to 4,000", () => {
  const times = Array.from({ length: 1_000 }, welcomeRetryMs);
  assert(times.every((ms) => ms >= 2_000 && ms <= 4_000 && Number.isInteger(ms)));
  assert(new Set(times).size > 100, "event streams that break together would come back together");
});
