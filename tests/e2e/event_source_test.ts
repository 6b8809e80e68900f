/** A browser's own EventSource, which gives up for ever at any status but 200. */
import { assertEquals } from "@std/assert";
import { MongoClient } from "mongodb";
import { launchChromium } from "../support/chromium.ts";
import { startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { startRedis } from "../support/redis.ts";
import { freePort, waitFor } from "../support/wait.ts";

const TABS = 5;

Deno.test("EventsTransport: a native EventSource outlives a restart while Redis and MongoDB are away", async () => {
  await using redis = await startRedis({ appendonly: true });
  await using mongodb = await startMongodb();
  const database = `source${crypto.randomUUID().slice(0, 8)}`;
  {
    await using client = new MongoClient(mongodb.url);
    const keys = client.db(database).collection<{ _id: string }>("myCollection");
    await keys.insertOne({ _id: "a" });
  }
  const env = {
    REDIS_URL: redis.url,
    MONGODB_URL: mongodb.url,
    MONGODB_DATABASE: database,
    MONGODB_TIMEOUT_MS: "500",
    PORT: `${freePort()}`,
    DRAIN_SECONDS: "1",
  };
  const append = (n: number) =>
    redis.tell("XADD", "my_stream", "*", "message", `{"recipients":["a"],"n":${n}}`);
  await using chromium = await launchChromium();
  const { page } = await chromium.open();
  const first = await startKeywire(env);
  {
    await using _first = first;
    await page.goto(`${first.url}/health`); // any page of that origin
    await page.evaluate(`{
      globalThis.heard = Array.from({ length: ${TABS} }, () => []);
      globalThis.sources = heard.map((numbers) => {
        const source = new EventSource("/events?a");
        source.onmessage = ({ data }) => numbers.push(JSON.parse(data).n);
        return source;
      });
    }`);
    await waitFor("all to be open", async () => {
      return await page.evaluate("sources.every(({ readyState }) => readyState === 1)");
    });
    await append(1);
    await waitFor("all to hear", async () => (await heard()).every(({ length }) => length === 1));
    await Promise.all([redis.kill(), mongodb.kill()]);
    first.kill("SIGTERM");
    await first.ended;
  }
  await using second = await startKeywire(env, { ready: false });
  await waitFor("each to be refused", async () => {
    let refused = 0;
    for (const [name, count] of await second.metrics()) {
      if (name.startsWith("keywire_connects_refused_total{")) refused += count;
    }
    return refused >= TABS;
  }, 30_000);
  assertEquals(
    await page.evaluate("sources.filter(({ readyState }) => readyState === 2).length"),
    0,
  );
  await Promise.all([redis.start(), mongodb.start()]);
  await append(2);
  await waitFor(
    "all to hear again",
    async () => (await heard()).every((all) => all.includes(2)),
    40_000,
  );
  await append(3);
  await waitFor("all to hear on", async () => (await heard()).every((all) => all.includes(3)));
  assertEquals(await heard(), Array.from({ length: TABS }, () => [1, 2, 3]));

  async function heard(): Promise<number[][]> {
    return await page.evaluate("heard");
  }
});
