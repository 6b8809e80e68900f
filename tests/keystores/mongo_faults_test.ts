import { assert, assertEquals, assertRejects } from "@std/assert";
import { MongoKeyStore, StoreUnavailable } from "../../src/keystores/mod.ts";
import { startMongodb } from "../support/mongodb.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { TestCollection } from "./collection.ts";
import { Logged } from "./logged.ts";

const TIMEOUT_MS = 800;

async function ask(store: MongoKeyStore, timeoutMs = TIMEOUT_MS): Promise<boolean> {
  return (await store.find(["a"], AbortSignal.timeout(timeoutMs))).has("a");
}

/** Asserts that there is no answer, and that this is said when the time is over. */
async function assertUnavailable(store: MongoKeyStore): Promise<void> {
  const start = performance.now();
  const error = await assertRejects(() => ask(store), StoreUnavailable);
  const ms = performance.now() - start;
  assert(ms < TIMEOUT_MS + 2000, `It took ${ms} ms`);
  assertEquals(store.status, "down");
  assertEquals(error.cause, undefined, "a cause could quote the key");
}

async function assertBack(store: MongoKeyStore): Promise<void> {
  assert(await waitFor("an answer", () => ask(store).catch(() => false)));
  assertEquals(store.status, "up");
}

Deno.test("MongoKeyStore waits for a server that is away at its start, and says so once", async () => {
  await using logged = await Logged.start();
  await using server = await startMongodb();
  await using keys = new TestCollection(server.url);
  await keys.insert({ _id: "a" });
  await server.kill();
  await using store = keys.store();
  assertEquals(store.status, "down");
  await assertUnavailable(store);
  await waitFor("a second try", () => logged.lines("debug").find((line) => /^Waiting/.test(line)));
  await server.start();
  await assertBack(store);
  const warnings = logged.lines("warning").filter((line) => /^Waiting/.test(line));
  assertEquals(warnings.length, 1);
  assert(warnings[0]?.startsWith(`Waiting for MongoDB at ${new URL(server.url).host}: `));
  assertEquals(logged.lines("info").length, 1);
});

Deno.test("MongoKeyStore lets go at once while its server is away", async () => {
  const store = new MongoKeyStore({
    url: `mongodb://somebody:hush@127.0.0.1:${freePort()}/`,
    database: "d",
    collection: "c",
  });
  const answer = store.find(["a"], AbortSignal.timeout(10_000));
  const refused = assertRejects(() => answer, StoreUnavailable);
  await store[Symbol.asyncDispose]();
  await refused;
  await assertRejects(() => ask(store), StoreUnavailable);
});

Deno.test("MongoKeyStore fails in time while its server hangs, and goes on afterwards", async () => {
  await using server = await startMongodb();
  await using keys = new TestCollection(server.url);
  await keys.insert({ _id: "a" });
  await using store = keys.store();
  assert(await ask(store));
  await server.freeze();
  await assertUnavailable(store);
  await Promise.all(Array.from({ length: 8 }, () => assertUnavailable(store)));
  await server.thaw();
  await assertBack(store);
});

Deno.test("MongoKeyStore fails in time while its server is dead, and goes on afterwards", async () => {
  await using server = await startMongodb();
  await using keys = new TestCollection(server.url);
  await keys.insert({ _id: "a" });
  await using store = keys.store();
  assert(await ask(store));
  await server.kill();
  await assertUnavailable(store);
  await server.start();
  await assertBack(store);
});

Deno.test("MongoKeyStore answers late, not never, where the server is restarted meanwhile", async () => {
  await using server = await startMongodb();
  await using keys = new TestCollection(server.url);
  await keys.insert({ _id: "a" });
  await using store = keys.store();
  assert(await ask(store));
  await server.kill();
  const answers = Promise.all(Array.from({ length: 4 }, () => ask(store, 20_000)));
  await server.start();
  assertEquals(await answers, [true, true, true, true]);
});

Deno.test("MongoKeyStore logs a fault once, however many questions meet it", async () => {
  await using server = await startMongodb();
  await using keys = new TestCollection(server.url);
  await keys.insert({ _id: "a" });
  await using store = keys.store();
  assert(await ask(store));
  await server.kill();
  await using logged = await Logged.start();
  await Promise.all(Array.from({ length: 20 }, () => assertUnavailable(store)));
  assertEquals(logged.lines("warning").length, 1);
  await server.start();
});
