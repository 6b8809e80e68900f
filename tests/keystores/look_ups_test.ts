import { assert, assertEquals, assertRejects } from "@std/assert";
import { setImmediate } from "node:timers";
import { LookUps, MemoryKeyStore, StoreUnavailable } from "../../src/keystores/mod.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { waitFor } from "../support/wait.ts";
import { WatchedStore } from "./watched_store.ts";

const timeoutMs = 5000;

function names(count: number, prefix = "key"): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix} ${i}`);
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

Deno.test("LookUps gives the recipients of a key, and undefined for one that is unknown", async () => {
  const keys = new MemoryKeyStore(["a"]);
  keys.set("b", ["user:1", "team:7"]);
  const lookUps = new LookUps(keys, { timeoutMs });
  assertEquals(
    await Promise.all(["a", "b", "c"].map((key) => lookUps.recipients(key))),
    [["a"], ["user:1", "team:7"], undefined],
  );
});

Deno.test("LookUps sends a lone look-up in its own turn", async () => {
  const store = new WatchedStore();
  const answer = new LookUps(store, { timeoutMs }).recipients("a");
  await Promise.resolve();
  assertEquals(store.questions.length, 1);
  await answer;
});

Deno.test("LookUps that arrive in one turn travel in one question", async () => {
  const store = new WatchedStore();
  const lookUps = new LookUps(store, { timeoutMs });
  await Promise.all(["a", "b", "c"].map((key) => lookUps.recipients(key)));
  assertEquals(store.questions.map(({ keys }) => keys), [["a", "b", "c"]]);
});

Deno.test("LookUps that arrive shortly after a question share the next one", async () => {
  using time = new FakeClock();
  const store = new WatchedStore();
  const lookUps = new LookUps(store, { timeoutMs, gatherMs: 50 });
  const answers = [];
  for (const key of ["a", "b", "c", "d"]) {
    answers.push(lookUps.recipients(key));
    await time.pass(10);
  }
  await time.pass(20);
  await Promise.all(answers);
  assertEquals(store.questions.map(({ keys }) => keys), [["a"], ["b", "c", "d"]]);
});

Deno.test("LookUps that arrive while a question has no answer share the next one, which the answer brings on", async () => {
  const store = new WatchedStore();
  store.hold();
  const lookUps = new LookUps(store, { timeoutMs, gatherMs: 0, slowMs: 60_000 });
  const answers = [lookUps.recipients("a")];
  await turn();
  for (const key of ["b", "c", "d"]) {
    answers.push(lookUps.recipients(key));
    await turn();
  }
  assertEquals(store.questions.length, 1);
  store.release();
  await Promise.all(answers);
  assertEquals(store.questions.map(({ keys }) => keys), [["a"], ["b", "c", "d"]]);
});

Deno.test("LookUps waits so long for an answer and no longer, and not at all with a full question", async () => {
  using time = new FakeClock();
  const store = new WatchedStore();
  store.hold();
  const lookUps = new LookUps(store, { timeoutMs, gatherMs: 0, slowMs: 100, maxKeys: 3 });
  const answers = [lookUps.recipients("a")];
  await time.runMicrotasks();
  answers.push(...["b", "c", "d", "e"].map((key) => lookUps.recipients(key)));
  await time.runMicrotasks();
  assertEquals(store.questions.map(({ keys }) => keys), [["a"], ["b", "c", "d"]]);
  await time.pass(99, 1);
  assertEquals(store.questions.length, 2);
  await time.pass(1);
  assertEquals(store.questions[2]?.keys, ["e"]);
  store.release();
  await Promise.all(answers);
});

Deno.test("LookUps gives each look-up of one question its own time", async () => {
  using time = new FakeClock();
  const store = new WatchedStore();
  store.hold();
  const lookUps = new LookUps(store, { timeoutMs: 300, gatherMs: 0, slowMs: 200 });
  const fails = async (key: string) => {
    const start = performance.now();
    await assertRejects(() => lookUps.recipients(key), StoreUnavailable);
    return performance.now() - start;
  };
  const times = [fails("first")];
  for (const key of ["a", "b"]) {
    await time.pass(80);
    times.push(fails(key));
  }
  await time.pass(400);
  assertEquals(await Promise.all(times), [300, 300, 300]);
  assertEquals(store.questions.map(({ keys }) => keys), [["first"], ["a", "b"]]);
  store.release();
});

Deno.test("LookUps asks about a key once, however many ask and whenever they do", async () => {
  const store = new WatchedStore(new MemoryKeyStore(["a"]));
  store.hold();
  const lookUps = new LookUps(store, { timeoutMs });
  const answers = [lookUps.recipients("a"), lookUps.recipients("a")];
  await waitFor("the question", () => store.questions.length);
  answers.push(lookUps.recipients("a"));
  await turn();
  store.release();
  assertEquals(await Promise.all(answers), [["a"], ["a"], ["a"]]);
  assertEquals(store.questions.map(({ keys }) => keys), [["a"]]);
});

Deno.test("LookUps keeps no answer", async () => {
  const keys = new MemoryKeyStore(["a"]);
  const lookUps = new LookUps(keys, { timeoutMs });
  assertEquals(await lookUps.recipients("a"), ["a"]);
  keys.remove("a");
  assertEquals(await lookUps.recipients("a"), undefined);
});

Deno.test("LookUps shares no question that was sent before it was renewed", async () => {
  const keys = new MemoryKeyStore(["a"]);
  const store = new WatchedStore(keys);
  store.hold();
  const lookUps = new LookUps(store, { timeoutMs });
  const before = lookUps.recipients("a");
  await waitFor("the question", () => store.questions.length);
  lookUps.renew();
  const after = [lookUps.recipients("a"), lookUps.recipients("a")];
  store.release();
  await Promise.all([before, ...after]);
  assertEquals(store.questions.map(({ keys }) => keys), [["a"], ["a"]]);
});

Deno.test("LookUps keeps to its bounds: keys in a question, questions under way", async () => {
  const store = new WatchedStore();
  store.hold();
  const lookUps = new LookUps(store, { timeoutMs, maxKeys: 10, maxBatches: 3 });
  const answers = names(95).map((key) => lookUps.recipients(key));
  await turn();
  assertEquals(store.questions.length, 3);
  store.release();
  await Promise.all(answers);
  assertEquals(store.most, 3);
  assertEquals(Math.max(...store.questions.map(({ keys }) => keys.length)), 10);
  assertEquals(new Set(store.questions.flatMap(({ keys }) => keys)).size, 95);
});

Deno.test("LookUps fails at once where too many wait, and takes others afterwards", async () => {
  const store = new WatchedStore();
  store.hold();
  const lookUps = new LookUps(store, { timeoutMs, maxKeys: 2, maxBatches: 1, maxWaiting: 3 });
  const sent = names(2, "sent").map((key) => lookUps.recipients(key));
  await turn();
  const waiting = names(3, "waiting").map((key) => lookUps.recipients(key));
  await assertRejects(() => lookUps.recipients("one more"), StoreUnavailable, "too many");
  waiting.push(lookUps.recipients("waiting 1")); // Who shares a question does not wait for another.
  store.release();
  await Promise.all([...sent, ...waiting]);
  assertEquals(await lookUps.recipients("one more"), undefined);
});

Deno.test("LookUps fails in time where the store is silent, the waiting included", async () => {
  using time = new FakeClock();
  const store = new WatchedStore();
  store.hold();
  const lookUps = new LookUps(store, { timeoutMs: 100, maxKeys: 1, maxBatches: 2 });
  let failed = 0;
  const answers = names(6).map(async (key) => {
    await assertRejects(() => lookUps.recipients(key), StoreUnavailable);
    failed++;
  });
  await time.pass(99, 1);
  assertEquals(failed, 0);
  await time.pass(1);
  assertEquals(failed, 6);
  await Promise.all(answers);
  await time.pass(200);
  assertEquals(store.questions.every(({ signal }) => signal.aborted), true);
  store.release();
  const late = lookUps.recipients("key 0");
  await time.pass(100);
  assertEquals(await late, undefined);
});

Deno.test("LookUps tells every caller that a question failed, and asks anew afterwards", async () => {
  let fails = true;
  const store = new WatchedStore(new MemoryKeyStore(["a"]));
  const failing = Object.assign(Object.create(store), {
    find: (keys: string[], signal: AbortSignal) =>
      fails ? Promise.reject(new StoreUnavailable("down")) : store.find(keys, signal),
  });
  const lookUps = new LookUps(failing, { timeoutMs });
  await Promise.all(
    names(3).map((key) => assertRejects(() => lookUps.recipients(key), StoreUnavailable, "down")),
  );
  fails = false;
  assertEquals(await lookUps.recipients("a"), ["a"]);
});

Deno.test("LookUps of 10,000 keys cost at most one question in 20, however they arrive", async () => {
  for (const inOneTurn of [10_000, 1000, 7, 1]) {
    const keys = names(10_000);
    const store = new WatchedStore(new MemoryKeyStore(keys));
    const lookUps = new LookUps(store, { timeoutMs: 60_000 });
    const answers = [];
    for (const [i, key] of keys.entries()) {
      answers.push(lookUps.recipients(key));
      // An immediate, as Node has it, is the next turn without the wait of a timer.
      if (i % inOneTurn === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assertEquals(await Promise.all(answers), keys.map((key) => [key]));
    assert(store.questions.length <= 500, `${store.questions.length} by ${inOneTurn}`);
  }
});
