/** What connecting costs the gateway, and the key store behind it. */
import { MongoClient } from "mongodb";
import { startMongodb } from "../support/mongodb.ts";
import { type Bench, target } from "./bench.ts";
import { QueryCounter } from "./query_counter.ts";
import { MANY } from "./scenario.ts";
import { startGateway } from "./subjects/mod.ts";
import { PLAIN } from "./subjects/shapes.ts";
import { keyOf } from "./templates.ts";

/** As many as a storm after a restart brings at once. */
const CONNECTING = 500;
const DATABASE = "keywire_bench";

/** CPU of the gateway per connect, in µs, and queries per connect, with one or the other store. */
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
  await using gateway = await startGateway({ redisPort: redis.port, keys: MANY }, PLAIN, env);
  const options = {
    ...target(gateway),
    sockets: MANY,
    keys: MANY,
    redisPid,
    connecting: CONNECTING,
  };
  const before = queries();
  return await generator.connect(options, ({ serverCpu, seconds }) =>
    Promise.resolve({
      connectCpuUs: serverCpu / MANY * 1e6,
      queriesPerConnect: (queries() - before) / MANY,
      connectsPerSecond: MANY / seconds,
    }));
}

async function fill(url: string): Promise<void> {
  await using client = new MongoClient(url);
  const keys = client.db(DATABASE).collection<{ _id: string }>("keys");
  await keys.deleteMany({});
  await keys.insertMany(Array.from({ length: MANY }, (_, index) => ({ _id: keyOf(index) })));
}
