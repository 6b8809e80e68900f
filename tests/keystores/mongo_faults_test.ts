import { assert, assertEquals, assertRejects } from "@std/assert";
import { MongoKeyStore, StoreUnavailable } from "../../src/keystores/mod.ts";
import { startMongodb } from "../support/mongodb.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { TestCollection } from "./collection.ts";
import { Logged } from "../support/logged.ts";

const TIMEOUT_MS = 800;

async function ask(store: MongoKeyStore, timeoutMs = TIMEOUT_MS): Promise<boolean> {
  return (await store.find(["a"], AbortSignal.timeout(timeoutMs))).has("a");
}

/** Asserts that there is no answer, and that this is told when the time is over. */
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
  await using logged = await Logged.start("keystores");
  await using server = await startMongodb();
  await using keys = new TestCollection(server.url);
  await keys.insert({ _id: "a" });
  await server.kill();
  await using store = keys.store();
  assertEquals(store.status, "down");
  await assertUnavailable(store);
  await waitFor("a second try", () => logged.lines("debug").length > 1);
  await server.start();
  await assertBack(store);
  const where = `MongoDB at ${new URL(server.url).host}`;
  const warnings = logged.lines("warning");
  assertEquals(warnings.length, 1);
  assert(warnings[0]?.startsWith(`${where} gives no answer: `), warnings[0]);
  const infos = logged.lines("info");
  assertEquals(infos.length, 1);
  assert(infos[0]?.startsWith(`${where} answers again after `), infos[0]);
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
  await using logged = await Logged.start("keystores");
  await Promise.all(Array.from({ length: 20 }, () => assertUnavailable(store)));
  assertEquals(logged.lines("warning").length, 1);
  await server.start();
});

Deno.test("MongoKeyStore: each outage and each recovery is logged, and known though no client connects", async () => {
  await using logged = await Logged.start("keystores");
  await using server = await startMongodb();
  await using keys = new TestCollection(server.url);
  await using store = keys.store();
  const up = () => waitFor("the store to be up", () => store.status === "up", 20_000);
  const down = () => waitFor("the store to be down", () => store.status === "down", 20_000);
  await up();
  for (let outages = 1; outages <= 2; outages++) {
    await server.kill();
    await down();
    assert(!/\d{4}|127\.0/.test(store.part.reason ?? ""), store.part.reason);
    await server.start();
    await up();
    assertEquals(logged.lines("warning").length, outages);
    assertEquals(logged.lines("info").length, 1 + outages);
  }
});

Deno.test("MongoKeyStore: a server that hangs is noticed by a ping", async () => {
  await using server = await startMongodb();
  await using keys = new TestCollection(server.url);
  await using store = keys.store();
  await waitFor("the store to be up", () => store.status === "up");
  await server.freeze();
  await waitFor("the store to be down", () => store.status === "down", 15_000);
  const { reason } = store.part;
  await server.thaw();
  assertEquals(reason, "TIMEOUT: no answer in time");
  await waitFor("the store to be up", () => store.status === "up", 15_000);
});

/** Forwards a free port to `target`, and makes bytes that are no UTF-8 of a name in the replies. */
function corruptReplies(target: number, name: string): Deno.TcpListener {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const forward = async (client: Deno.TcpConn) => {
    const server = await Deno.connect({ hostname: "127.0.0.1", port: target });
    const replies = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const at = new TextDecoder("latin1").decode(chunk).indexOf(name);
        if (at >= 0) chunk[at] = 0xff;
        controller.enqueue(chunk);
      },
    });
    await Promise.all([
      client.readable.pipeTo(server.writable),
      server.readable.pipeThrough(replies).pipeTo(client.writable),
    ]).catch(() => {}); // one end has gone
  };
  (async () => {
    for await (const client of listener) forward(client);
  })();
  return listener;
}

Deno.test("MongoKeyStore: a document whose bytes are no text is refused alone", async () => {
  await using logged = await Logged.start("keystores");
  await using server = await startMongodb();
  await using keys = new TestCollection(server.url);
  await keys.insert({ _id: "a", who: "ann" }, { _id: "b", who: "corrupted" });
  const { port } = new URL(server.url);
  using listener = corruptReplies(Number(port), "corrupted");
  const url = server.url.replace(`:${port}`, `:${listener.addr.port}`);
  await using store = keys.store({ url, recipientField: "who" });
  const found = await store.find(["a", "b"], AbortSignal.timeout(10_000));
  assertEquals([...found], [["a", ["ann"]]]);
  assertEquals(store.status, "up");
  assert(logged.lines("warning").some((line) => line.includes("Documents were refused")));
});
