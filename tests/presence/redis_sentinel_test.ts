import { assert, assertEquals } from "@std/assert";
import { openRedisPresence, QUICK, trustRegistry } from "../support/presence.ts";
import { startRedis } from "../support/redis.ts";
import { openBackend } from "../support/redis_client.ts";
import { startSentinel } from "../support/sentinel.ts";
import { waitFor } from "../support/wait.ts";

Deno.test("RedisPresence: a planned failover is followed as soon as it is announced, and notices go to the new master", async () => {
  await using master = await startRedis();
  await using replica = await startRedis({
    args: ["--replicaof", "127.0.0.1", `${master.port}`, "--repl-diskless-sync-delay", "0"],
  });
  await using sentinel = await startSentinel(master.port);
  await waitFor("the replica to be known", async () => {
    const info = await sentinel.tell("SENTINEL", "REPLICAS", "mymaster");
    return info.includes(`${replica.port}`) && info.includes("master-link-status,ok");
  }, 20_000);
  await using presence = openRedisPresence(`redis+sentinel://127.0.0.1:${sentinel.port}/mymaster`, {
    timing: QUICK,
  });
  presence.add(["stays"]);
  await presence.settled();
  await using backend = await openBackend(replica.url, { channels: ["connected"] });
  await sentinel.tell("SENTINEL", "FAILOVER", "mymaster");
  await waitFor("another master", async () => {
    const address = await sentinel.tell("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster");
    return address.endsWith(`,${replica.port}`);
  }, 20_000);
  const announced = performance.now();
  await waitFor("its connection to the new master", async () => {
    return String(await backend.redis.call("CLIENT", "LIST")).includes("name=keywire-presence");
  }, 20_000);
  const ms = performance.now() - announced;
  // Where the announcement is not heard, it takes 10 s.
  assert(ms < 7_000, `It took ${ms} ms`);
  await waitFor("the backend to be subscribed there again", async () => {
    await backend.redis.publish("connected", "a probe");
    return backend.heard.includes("connected a probe");
  });
  presence.add(["comes"]);
  await waitFor("the notice", () => backend.heard.includes("connected comes"), 20_000);
  assertEquals(backend.heard.filter((line) => line === "connected comes").length, 1);
  assertEquals((await presence.lookUp(["stays", "comes"])).size, 2);
});

Deno.test("RedisPresence: a failover of Sentinel is no news, whatever the replica had by then", async () => {
  await using master = await startRedis();
  await trustRegistry(master);
  await using replica = await startRedis({
    args: ["--replicaof", "127.0.0.1", `${master.port}`, "--repl-diskless-sync-delay", "0"],
  });
  await using sentinel = await startSentinel(master.port);
  await waitFor("the replica to be known", async () => {
    const info = await sentinel.tell("SENTINEL", "REPLICAS", "mymaster");
    return info.includes(`${replica.port}`) && info.includes("master-link-status,ok");
  }, 20_000);
  const url = `redis+sentinel://127.0.0.1:${sentinel.port}/mymaster`;
  // The replica passes on what the master publishes, and goes on by itself.
  await using backend = await openBackend(replica.url, { channels: ["connected", "disconnected"] });
  await using one = openRedisPresence(url, { timing: QUICK });
  await using two = openRedisPresence(url, { timing: QUICK });
  one.add(["both", "one"]);
  two.add(["both"]);
  await Promise.all([one.settled(), two.settled()]);
  await waitFor("the notices", () => backend.heard.length === 2);
  // What is written from here on is lost with the master.
  replica.freeze();
  one.remove(["one"]);
  await one.settled();
  await master.kill();
  replica.thaw();
  await waitFor("the failover", async () => {
    // Sentinel ends all connections of the replica as it promotes it.
    const role = await replica.tell("ROLE").catch(() => "");
    return role.includes("master") && one.unhealthyReason === undefined &&
      two.unhealthyReason === undefined;
  }, 40_000);
  one.remove(["both"]);
  await Promise.all([one.settled(), two.settled()]);
  const found = await waitFor("the answer", () => {
    return one.lookUp(["both", "one"]).catch(() => undefined);
  });
  assertEquals([...found].map(([name, { sockets }]) => [name, sockets]), [["both", 1]]);
  two.remove(["both"]);
  await two.settled();
  await waitFor("the notice", () => backend.heard.includes("disconnected both"));
  assertEquals(backend.heard.filter((notice) => notice.endsWith(" both")), [
    "connected both",
    "disconnected both",
  ]);
});
