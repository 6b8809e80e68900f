/** Look-ups together with a real MongoDB. */
import { assert, assertEquals } from "@std/assert";
import { LookUps } from "../../src/keystores/mod.ts";
import { startMongodb } from "../support/mongodb.ts";
import { TestCollection } from "./collection.ts";
import { WatchedStore } from "./watched_store.ts";

Deno.test("LookUps of 10,000 keys at once cost MongoDB at most 500 questions", async () => {
  await using server = await startMongodb();
  await using collection = new TestCollection(server.url);
  const keys = Array.from({ length: 10_000 }, (_, i) => `key ${i}`);
  await collection.insert(...keys.map((_id) => ({ _id })));
  await using store = new WatchedStore(collection.store());
  const lookUps = new LookUps(store, { timeoutMs: 60_000 });
  const answers = await Promise.all(keys.map((key) => lookUps.recipients(key)));
  assertEquals(answers, keys.map((key) => [key]));
  assert(store.questions.length <= 500, `${store.questions.length}`);
});
