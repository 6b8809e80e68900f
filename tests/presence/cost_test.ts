/**
 * What presence costs. The commands are counted; PRESENCE_COST=1 prints what they cost Redis, which
 * on a machine that others use, too, is no figure to fail by.
 */
import { assert, assertEquals } from "@std/assert";
import { openRedisPresence, trustRegistry } from "../support/presence.ts";
import { openBackend } from "../support/redis_client.ts";
import { startRedis } from "../support/redis.ts";
import { say } from "../support/say.ts";
import { waitFor } from "../support/wait.ts";

const SOCKETS = 10_000;

Deno.test("RedisPresence: 10,000 connects are some 20 batches of two scripts a recipient", async () => {
  await using server = await startRedis();
  await trustRegistry(server);
  await using backend = await openBackend(server.url, { channels: ["connected", "disconnected"] });
  await using presence = openRedisPresence(server.url, {
    timing: { renewMs: 3_000, leaseMs: 8_000, forgetMs: 60_000 },
  });
  await waitFor("the lease", () => presence.nodes().then(() => true, () => false));
  const { redis } = backend;
  const measure = async (what: string, run: () => void) => {
    await redis.call("CONFIG", "RESETSTAT");
    const before = await cpuMicroseconds();
    run();
    await presence.settled();
    const used = await cpuMicroseconds() - before;
    if (Deno.env.get("PRESENCE_COST") === "1") {
      say(`${what}: ${(used / SOCKETS).toFixed(1)} µs of Redis a recipient`);
    }
    const stats = await redis.info("commandstats");
    return (command: string) => {
      return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    };
  };
  const cpuMicroseconds = async () => {
    const cpu = await redis.info("cpu");
    const read = (name: string) => Number(new RegExp(`${name}:([\\d.]+)`).exec(cpu)?.[1]);
    return (read("used_cpu_sys") + read("used_cpu_user")) * 1e6;
  };
  const names = Array.from({ length: SOCKETS }, (_, at) => `user-${at}`);
  for (const round of ["first", "second", "third"]) {
    const connects = await measure(`${round} connects`, () => {
      for (const name of names) presence.add([name]);
    });
    assert(connects("evalsha") <= 2.1 * SOCKETS, `${connects("evalsha")} scripts`);
    assert(connects("sadd") <= 40, `${connects("sadd")} batches`);
    assertEquals(connects("publish"), SOCKETS);
    const closes = await measure(`${round} closes`, () => {
      for (const name of names) presence.remove([name]);
    });
    assert(closes("evalsha") <= 1.1 * SOCKETS, `${closes("evalsha")} scripts`);
    assertEquals(closes("publish"), SOCKETS);
  }
});
