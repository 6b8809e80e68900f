/** Presence on one real Redis. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { PresenceUnavailable } from "../../src/presence/mod.ts";
import { testPresence } from "../contracts/presence_contract.ts";
import { becomes } from "../support/becomes.ts";
import { openRedisPresence, QUICK, trustRegistry } from "../support/presence.ts";
import { Proxy } from "../support/proxy.ts";
import { type Backend, openBackend } from "../support/redis_client.ts";
import { startRedis } from "../support/redis.ts";
import { addLeastUser } from "../support/redis_acl.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";

const CHANNELS = { channels: ["connected", "disconnected"] };

testPresence("RedisPresence", async ({ graceMs, connections }) => {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startRedis());
  await trustRegistry(server);
  const backend = stack.use(await openBackend(server.url, CHANNELS));
  const presence = stack.use(openRedisPresence(server.url, {
    timing: { graceMs },
    report: () => ({ version: "0", since: 0, connections: connections() }),
  }));
  await waitFor("the lease", () => presence.nodes().then(() => true, () => false));
  return {
    presence,
    notices: backend.heard,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
});

/** What Redis holds, the mark aside, and whether everything expires within a day. */
async function leftovers({ redis }: Backend): Promise<string[]> {
  const keys = await redis.keys("*");
  for (const key of keys) {
    const ms = await redis.pttl(key);
    assert(ms > 0 && ms <= 86_400_000, `${key} expires in ${ms} ms`);
  }
  return keys.filter((key) => !key.endsWith(":mark"));
}

together("RedisPresence", {
  "announces a recipient of two nodes once, and when it has left both": async () => {
    await using server = await startRedis();
    await trustRegistry(server);
    await using backend = await openBackend(server.url, CHANNELS);
    await using one = openRedisPresence(server.url);
    await using two = openRedisPresence(server.url);
    one.add(["a"]);
    await one.settled();
    await waitFor("the notice", () => backend.heard.length === 1);
    two.add(["a"]);
    await two.settled();
    assertEquals((await one.lookUp(["a"])).get("a")?.sockets, 2);
    one.remove(["a"]);
    await one.settled();
    two.add(["a"]);
    two.remove(["a"]);
    await two.settled();
    assertEquals(backend.heard, ["connected a"]);
    two.remove(["a"]);
    await two.settled();
    await waitFor("the notice", () => backend.heard.length === 2);
    assertEquals(backend.heard, ["connected a", "disconnected a"]);
    await one[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
    assertEquals(await leftovers(backend), []);
  },

  "leaves nothing of its former leases when it is the last one to go": async () => {
    await using server = await startRedis();
    await trustRegistry(server);
    await using backend = await openBackend(server.url, CHANNELS);
    await using node = openRedisPresence(server.url);
    const id = async () => (await node.nodes().catch(() => []))[0]?.id;
    const recipients = Array.from({ length: 3_000 }, (_, at) => `r${at}`); // They move in batches.
    node.add(recipients);
    await node.settled();
    const former = await id();
    await backend.redis.hdel("keywire:{nodes}", former!);
    await waitFor("another lease", async () => ![undefined, former].includes(await id()));
    node.remove(recipients);
    await node.settled(); // A node that goes has a second for what it still has to send.
    await node[Symbol.asyncDispose]();
    assertEquals(await leftovers(backend), []);
  },

  "names it as trouble of the notices where Redis does not let it in": async () => {
    await using server = await startRedis({ args: ["--rename-command", "INFO", ""] });
    await using without = openRedisPresence(server.url);
    await waitFor("the reason", () => without.part.reason?.startsWith("ERR: "));
    assertEquals(without.part.reason, "ERR: Redis does not know the command INFO");

    await using other = await startRedis();
    await trustRegistry(other);
    const rules = ["on", ">secret", "~*", "&*", "+@all"];
    await other.tell("ACL", "SETUSER", "some", ...rules, "-client|id");
    await using denied = openRedisPresence(`redis://some:secret@127.0.0.1:${other.port}`);
    await waitFor("the reason", () => denied.part.reason?.startsWith("NOPERM"));
    await other.tell("ACL", "SETUSER", "some", "+client|id");
    await waitFor("it to be let in", () => denied.part.reason === undefined, 15_000);
    await waitFor("its lease", () => denied.nodes().then(() => true, () => false));
  },

  "tells a node that went by itself from one that another had to reap": async () => {
    await using server = await startRedis();
    await trustRegistry(server);
    await using one = openRedisPresence(server.url, { timing: QUICK });
    const other = async () => (await one.nodes().catch(() => [])).find(({ isThis }) => !isThis)?.id;
    const comeAndGo = async () => {
      const two = openRedisPresence(server.url, { timing: QUICK });
      await waitFor("the other node", async () => ![undefined, "killed"].includes(await other()));
      const id = (await other())!;
      assertEquals(one.hasLeft(id), false);
      await two[Symbol.asyncDispose]();
      await waitFor("word that it left", () => one.hasLeft(id));
    };
    await comeAndGo();
    const lease = '1 {"address":"","version":"0","since":0,"connections":0}';
    await server.tell("HSET", "keywire:{nodes}", "killed", lease);
    // How long it is seen before is a matter of the leases, not of this test.
    await waitFor("one that was killed to be reaped", () => one.stats.reapedNodes === 1);
    await comeAndGo(); // The leases were read again.
    assertEquals(one.hasLeft("killed"), false);
  },

  "says nothing of a Redis that lost everything, and writes it again": async () => {
    await using server = await startRedis();
    await trustRegistry(server);
    await using backend = await openBackend(server.url, CHANNELS);
    await using one = openRedisPresence(server.url);
    await using two = openRedisPresence(server.url);
    one.add(["both", "one"]);
    two.add(["both", "two"]);
    await Promise.all([one.settled(), two.settled()]);
    await waitFor("the notices", () => backend.heard.length === 3);
    await backend.redis.flushall();
    two.remove(["both"]);
    one.add(["two"]);
    await assertRejects(async () => {
      // Until it is noticed, or at the next renewal, Redis shows no recipient.
      await waitFor("the loss", async () => {
        const found = await one.lookUp(["both"]);
        return found.size < 0;
      }, 2_000);
    }, PresenceUnavailable);
    await Promise.all([one.settled(), two.settled()]);
    const found = await two.lookUp(["both", "one", "two"]);
    assertEquals([...found].map(([name, { sockets }]) => [name, sockets]), [
      ["both", 1],
      ["one", 1],
      ["two", 2],
    ]);
    assertEquals(backend.heard.length, 3);
    one.remove(["both"]);
    await one.settled();
    await waitFor("the notice", () => backend.heard.length === 4);
    assertEquals(backend.heard[3], "disconnected both");
  },

  "says nothing of a Redis that stands still for three leases": async () => {
    await using server = await startRedis();
    await trustRegistry(server);
    await using backend = await openBackend(server.url, CHANNELS);
    await using one = openRedisPresence(server.url, { timing: QUICK });
    await using two = openRedisPresence(server.url, { timing: QUICK });
    one.add(["one"]);
    two.add(["two"]);
    await Promise.all([one.settled(), two.settled()]);
    await waitFor("the notices", () => backend.heard.length === 2);
    server.freeze();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    one.add(["late"]);
    await assertRejects(() => two.lookUp(["one"]), PresenceUnavailable);
    await waitFor("word of it", () => two.unhealthyReason);
    server.thaw();
    await waitFor("both nodes", async () => {
      return (await one.nodes().catch(() => [])).length === 2;
    });
    await one.settled();
    await waitFor("the notice", () => backend.heard.length >= 3);
    await waitFor("the answer", async () => (await two.lookUp(["one"]).catch(() => [])));
    assertEquals(backend.heard.slice(2), ["connected late"]);
    await becomes(() => [one.unhealthyReason, two.unhealthyReason], [undefined, undefined]);
  },

  "leaves a grace to the other nodes when it goes, and a tab that comes back there is no news":
    async () => {
      await using server = await startRedis();
      await trustRegistry(server);
      await using backend = await openBackend(server.url, CHANNELS);
      const timing = { graceMs: 5_000 };
      const one = openRedisPresence(server.url, { timing });
      await using two = openRedisPresence(server.url, { timing });
      one.add(["back", "gone"]);
      await one.settled();
      await waitFor("the notices", () => backend.heard.length === 2);
      const closedAt = performance.now();
      one.remove(["back", "gone"]);
      await one[Symbol.asyncDispose]();
      two.add(["back"]);
      await two.settled();
      assertEquals((await two.lookUp(["back", "gone"])).size, 1);
      await waitFor("the notice", () => backend.heard.length === 3);
      // The grace; or, where a busy machine let it go before it had written that, its lease.
      assert(performance.now() - closedAt >= 3_500);
      await waitFor(
        "the lease to be gone",
        async () => (await backend.redis.keys("*:names")).length < 2,
      );
      assertEquals(backend.heard.slice(2), ["disconnected gone"]);
      two.remove(["back"]);
      await waitFor("the notice", () => backend.heard.length === 4);
      assertEquals(backend.heard[3], "disconnected back");
      await two[Symbol.asyncDispose]();
      assertEquals(await leftovers(backend), []);
    },

  "is asked for 10,000 recipients at once, of which it knows those who are there": async () => {
    await using server = await startRedis();
    await trustRegistry(server);
    await using one = openRedisPresence(server.url);
    const names = Array.from({ length: 10_000 }, (_, at) => `user-${at}`);
    one.add(names.filter((_, at) => at % 3 === 0));
    await one.settled();
    assertEquals((await one.lookUp(names)).size, 3_334);
  },

  "sends again what got no answer, and nothing is told twice": async () => {
    await using server = await startRedis();
    await trustRegistry(server);
    await using backend = await openBackend(server.url, CHANNELS);
    await using proxy = new Proxy(server.port);
    await using one = openRedisPresence(`redis://127.0.0.1:${proxy.port}`);
    await waitFor("the lease", () => one.nodes().then(() => true, () => false));
    const names = Array.from({ length: 1_000 }, (_, at) => `user-${at}`);
    for (const bytes of [3_000, 10_000, 20_000]) {
      proxy.cutAfter(bytes);
      for (const name of names) one.add([name]);
      await waitFor("the cut", () => proxy.connections === 0);
      proxy.cutAfter(Infinity);
      await one.settled();
      for (const name of names) one.remove([name]);
      await one.settled();
    }
    await waitFor("the notices", () => backend.heard.length >= 6 * names.length);
    const told = Map.groupBy(backend.heard, (notice) => notice.split(" ")[1]!);
    for (const name of names) {
      const pair = [`connected ${name}`, `disconnected ${name}`];
      assertEquals(told.get(name), [...pair, ...pair, ...pair]);
    }
  },

  "tries again what Redis refuses, and counts it": async () => {
    await using server = await startRedis();
    await trustRegistry(server);
    await using backend = await openBackend(server.url, CHANNELS);
    const { redis } = backend;
    await redis.call("ACL", "SETUSER", "node", "on", ">x", "~*", "+@all", "resetchannels");
    await using one = openRedisPresence(server.url.replace("//", "//node:x@"));
    one.add(["a"]);
    await waitFor("a refusal", () => one.refusals > 1);
    assertEquals(backend.heard, []);
    await redis.call("ACL", "SETUSER", "node", "&connected", "&disconnected");
    await waitFor("the notice", () => backend.heard.length === 1);
    assertEquals(backend.heard, ["connected a"]);
  },

  "works as a user who may do no more than SECURITY.md says": async () => {
    await using server = await startRedis();
    await trustRegistry(server);
    await using backend = await openBackend(server.url, CHANNELS);
    const url = await addLeastUser(server);
    await using one = openRedisPresence(url);
    await using two = openRedisPresence(url);
    one.add(["a", "b"]);
    two.add(["b"]);
    await Promise.all([one.settled(), two.settled()]);
    assertEquals((await one.lookUp(["a", "b"])).size, 2);
    one.remove(["a", "b"]);
    two.remove(["b"]);
    await Promise.all([one.settled(), two.settled()]);
    await waitFor("the notices", () => backend.heard.length === 4);
    // A lost connection is killed by its number, and the names of who left are forgotten.
    await backend.redis.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    for (const node of [one, two]) {
      node.add(["c"]);
      await node.settled();
      node.remove(["c"]);
    }
    await one[Symbol.asyncDispose]();
    await two[Symbol.asyncDispose]();
    assertEquals([one.refusals, two.refusals], [0, 0]);
    assertEquals(await leftovers(backend), []);
  },
});
