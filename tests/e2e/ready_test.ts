/** What `/ready` tells of each part, on the public port: the name, why and since when, and no host. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { openSocket } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { trustRegistry } from "../support/presence.ts";
import { startRedis } from "../support/redis.ts";
import { addLeastUser } from "../support/redis_acl.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";

interface Ready {
  readonly code: number;
  readonly text: string;
  readonly status: string;
  readonly parts: Readonly<Record<string, { status: string; reason?: string; since: string }>>;
}

async function ready({ url }: KeywireProcess): Promise<Ready> {
  const response = await fetch(`${url}/ready`);
  const text = await response.text();
  return { code: response.status, text, ...JSON.parse(text) };
}

/** Waits until a part is in trouble with a reason that begins so, and returns the answer. */
function untilDown(gateway: KeywireProcess, part: string, start: string): Promise<Ready> {
  return waitFor(`${part} to be told as ${start}`, async () => {
    const answer = await ready(gateway);
    return answer.parts[part]?.reason?.startsWith(start) ? answer : undefined;
  }, 15_000);
}

function untilReady(gateway: KeywireProcess): Promise<true> {
  return waitFor("the node to be ready", async () => {
    return (await ready(gateway)).code === 200 || undefined;
  }, 20_000) as Promise<true>;
}

together("/ready tells", {
  "of a Redis that is gone, part by part, without its address": async () => {
    await using redis = await startRedis();
    await using gateway = await startKeywire({ REDIS_URL: redis.url });
    const before = await ready(gateway);
    assertEquals(before.status, "ready");
    assertEquals(Object.keys(before.parts), ["channel", "stream", "writes", "notices", "store"]);
    for (const { status, reason, since } of Object.values(before.parts)) {
      assertEquals([status, reason], ["up", undefined]);
      assert(Math.abs(Date.parse(since) - Date.now()) < 60_000, since);
    }
    await redis.kill();
    const { code, status, parts, text } = await untilDown(gateway, "stream", "ECONNREFUSED");
    assertEquals([code, status, parts.store?.status], [503, "deaf", "up"]);
    assert(!/127\.0\.0\.1|localhost|:\d{5}/.test(text.replaceAll(/"since":"[^"]+"/g, "")), text);
    const metrics = await gateway.metrics();
    assertEquals(metrics.get('keywire_part_up{part="stream"}'), 0);
    assertEquals(metrics.get('keywire_part_up{part="store"}'), 1);
    await redis.start();
    await untilReady(gateway);
    await waitFor("the log", () => gateway.log.includes("is well again after"));
  },

  "of notices that an ACL refuses, until it permits them": async () => {
    await using redis = await startRedis();
    await trustRegistry(redis);
    const url = await addLeastUser(redis, "resetchannels", "&my_channel", "&{keywire}:*");
    await using gateway = await startKeywire({ REDIS_URL: url });
    await untilReady(gateway);
    using _socket = await openSocket(gateway.url, "demo");
    const { code, text } = await untilDown(gateway, "notices", "NOPERM");
    assertEquals(code, 503);
    assert(!text.includes("connected"), text);
    const refusals = (await gateway.metrics()).get("keywire_presence_refusals_total") ?? 0;
    assert(refusals > 0, `${refusals} refusals`);
    await waitFor("the log", () => gateway.log.includes("NOPERM"));
    await redis.tell("ACL", "SETUSER", "keywire", "&connected", "&disconnected");
    await untilReady(gateway);
  },

  "of scripts that an ACL refuses, at start and later, until it permits them": async () => {
    await using redis = await startRedis();
    const url = await addLeastUser(redis, "-evalsha");
    await using gateway = await startKeywire({ REDIS_URL: url }, { ready: false });
    for (let round = 0; round < 2; round++) {
      const { code } = await untilDown(gateway, "notices", "NOPERM");
      assertEquals(code, 503);
      await redis.tell("ACL", "SETUSER", "keywire", "+evalsha");
      await untilReady(gateway);
      await redis.tell("ACL", "SETUSER", "keywire", "-evalsha");
    }
    await waitFor("the log", () => gateway.log.includes("refuses what presence asks"));
  },

  "of probes that an ACL refuses, by that name, until it permits them": async () => {
    await using redis = await startRedis();
    await using gateway = await startKeywire({ REDIS_URL: await addLeastUser(redis) });
    await untilReady(gateway);
    await redis.tell("ACL", "SETUSER", "keywire", "-publish");
    assertEquals((await untilDown(gateway, "channel", "NOPERM")).code, 503);
    await redis.tell("ACL", "SETUSER", "keywire", "+publish");
    await untilReady(gateway);
  },

  "of a MongoDB that is gone, and the node stays in the balancer": async () => {
    await using mongodb = await startMongodb();
    const env = { MONGODB_URL: mongodb.url, MONGODB_DATABASE: "ready" };
    await using gateway = await startKeywire(env);
    await waitFor("the store", async () => (await ready(gateway)).parts.store?.status === "up");
    await mongodb.kill();
    // No client connects: it is noticed all the same.
    const { code, text } = await untilDown(gateway, "store", "no server of MongoDB answers");
    assertEquals(code, 200);
    assertStringIncludes(text, '"store":"down"');
    assert(!/127\.0\.0\.1|:\d{5}\b/.test(text), text);
    await mongodb.start();
    await waitFor(
      "the store",
      async () => (await ready(gateway)).parts.store?.status === "up",
      20_000,
    );
    await waitFor("the log", () => gateway.log.includes("answers again after"));
  },
});
