import { assertEquals } from "@std/assert";
import { MongoClient } from "mongodb";
import { startMongodb } from "../support/mongodb.ts";
import { QueryCounter } from "./query_counter.ts";

Deno.test("QueryCounter counts the finds that pass, and nothing else", async () => {
  await using mongodb = await startMongodb();
  const { hostname, port } = new URL(mongodb.url);
  await using counter = new QueryCounter({ hostname, port: Number(port || 27017) });
  await using client = new MongoClient(`mongodb://127.0.0.1:${counter.port}/`);
  const keys = client.db(`keywire_test_${crypto.randomUUID().slice(0, 8)}`)
    .collection<{ _id: string }>("keys");
  const ids = Array.from({ length: 3000 }, (_, index) => `a key of some length, number ${index}`);
  await keys.insertMany(ids.map((_id) => ({ _id })));
  assertEquals(counter.queries, 0);
  await Promise.all(ids.slice(0, 7).map((_id) => keys.findOne({ _id: { $eq: _id } })));
  assertEquals(
    await keys.find({ _id: { $in: ids } }, { batchSize: 5000 }).toArray().then((all) => all.length),
    3000,
  );
  assertEquals(counter.queries, 8);
  await keys.drop();
});
