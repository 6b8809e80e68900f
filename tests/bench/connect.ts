/** What connecting costs the gateway, Redis, and the key store behind it. */
import { MongoClient } from "mongodb";
import { startMongodb } from "../support/mongodb.ts";
import { trustRegistry } from "../support/presence.ts";
import { openBackend } from "../support/redis_client.ts";
import { waitFor } from "../support/wait.ts";
import { type Bench, target } from "./bench.ts";
import { QueryCounter } from "./query_counter.ts";
import { MANY } from "./scenario.ts";
import { startGateway } from "./subjects/mod.ts";
import { PLAIN } from "./subjects/shapes.ts";
import { keyOf } from "./templates.ts";

/** As many as a storm after a restart brings at once. */
const CONNECTING = 500;
const DATABASE = "keywire_bench";

/** How long Redis may take to have published all notices, in milliseconds. */
const NOTICES_MS = 60_000;
/** How long it is watched what gateway and Redis use when nothing connects, in milliseconds. */
const IDLE_MS = 3_000;
/** What the system counts CPU in, in a second. */
const TICKS = 100;

/**
 * CPU of the gateway and of Redis per connect, in µs, above what they use idle, until every client is
 * connected and its notice was published; and queries per 20 connects. With one or the other store.
 */
export async function measureConnect(
  bench: Bench,
  store: "embedded" | "mongodb",
): Promise<Record<string, number>> {
  if (store === "embedded") return await connectAll(bench, {}, () => 0);
  await using mongodb = await startMongodb();
  await fill(mongodb.url);
  const { hostname, port } = new URL(mongodb.url);
  await using counter = new QueryCounter({ hostname, port: Number(port || 27017) });
  const env = {
    MONGODB_URL: `mongodb://127.0.0.1:${counter.port}/`,
    MONGODB_DATABASE: DATABASE,
    MONGODB_COLLECTION: "keys",
    MONGODB_TIMEOUT_MS: "60000", // the server may be slow; what counts is how often it is asked
  };
  return await connectAll(bench, env, () => counter.queries);
}

async function connectAll(
  { generator, redis, redisPid }: Bench,
  env: Record<string, string>,
  queries: () => number,
): Promise<Record<string, number>> {
  // Clients of an earlier round are still there, by its names.
  const prefix = `keywire-${crypto.randomUUID().slice(0, 8)}`;
  await trustRegistry(redis, prefix);
  await using backend = await openBackend(redis.url, { channels: ["connected"] });
  await using gateway = await startGateway({ redisPort: redis.port, keys: MANY }, PLAIN, {
    ...env,
    REDIS_PREFIX: prefix,
  });
  const options = {
    ...target(gateway),
    sockets: MANY,
    keys: MANY,
    redisPid,
    connecting: CONNECTING,
  };
  const look = async () => ({
    at: performance.now(),
    gateway: await cpuSeconds(gateway.pids),
    redis: await mainThreadSeconds(redisPid),
  });
  const rest = async () => {
    const from = await look();
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    return [from, await look()] as const;
  };
  const [first, before] = await rest();
  const queriesBefore = queries();
  return await generator.connect(options, async ({ seconds }) => {
    await waitFor("the notices", () => backend.heard.length >= MANY, NOTICES_MS);
    const asked = queries() - queriesBefore;
    const [after, last] = await rest();
    // A store that takes long would else be charged for what passes meanwhile. With all clients that
    // is more than without any.
    const perConnect = (of: "gateway" | "redis") => {
      const idleRate = (before[of] - first[of] + last[of] - after[of]) /
        (before.at - first.at + last.at - after.at);
      return (after[of] - before[of] - idleRate * (after.at - before.at)) / MANY * 1e6;
    };
    return {
      connectCpuUs: perConnect("gateway"),
      redisCpuUs: perConnect("redis"),
      queriesPer20: asked / MANY * 20,
      connectsPerSecond: MANY / seconds,
    };
  });
}

/** User and system time of processes so far. */
async function cpuSeconds(pids: readonly number[]): Promise<number> {
  const texts = await Promise.all(pids.map((pid) => Deno.readTextFile(`/proc/${pid}/stat`)));
  // Behind the name, which may hold anything: the state is the third field, these are 14 and 15.
  const ticks = texts.map((text) => text.slice(text.lastIndexOf(")") + 2).split(" ").slice(11, 13));
  return ticks.flat().reduce((sum, each) => sum + Number(each), 0) / TICKS;
}

/**
 * Time of the thread in which Redis does everything, to the nanosecond: ticks of 10 ms would make
 * what it uses idle, which counts for as long as all the connects take, some µs a connect.
 */
async function mainThreadSeconds(pid: number): Promise<number> {
  return parseInt(await Deno.readTextFile(`/proc/${pid}/schedstat`)) / 1e9;
}

async function fill(url: string): Promise<void> {
  await using client = new MongoClient(url);
  const keys = client.db(DATABASE).collection<{ _id: string }>("keys");
  await keys.deleteMany({});
  await keys.insertMany(Array.from({ length: MANY }, (_, index) => ({ _id: keyOf(index) })));
}
