import { assert, assertEquals } from "@std/assert";
import { openRedisPresence } from "../support/presence.ts";
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
  await using presence = openRedisPresence(`redis+sentinel://127.0.0.1:${sentinel.port}/mymaster`);
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
  assert(ms < 3_000, `It took ${ms} ms`);
  presence.add(["comes"]);
  await waitFor("the notice", () => backend.heard.includes("connected comes"), 20_000);
  assertEquals(backend.heard.filter((line) => line === "connected comes").length, 1);
  assertEquals((await presence.lookUp(["stays", "comes"])).size, 2);
});
