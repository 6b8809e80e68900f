import { assert, assertEquals, assertThrows } from "@std/assert";
import { FakeTime, TimeError } from "@std/testing/time";

Deno.test("FakeTime: timers run in the order of their times, those of one time as they were set", () => {
  using time = new FakeTime(1_000);
  const calls: string[] = [];
  setTimeout((word: string) => calls.push(`${word} at ${Date.now()}`), 20, "second");
  setTimeout(() => calls.push("first"), 10);
  setTimeout(() => calls.push("third"), 20);
  time.tick(9);
  assertEquals(calls, []);
  time.tick(11);
  assertEquals(calls, ["first", "second at 1020", "third"]);
});

Deno.test("FakeTime: a timer that is set or cleared by another counts", () => {
  using time = new FakeTime();
  const calls: string[] = [];
  setTimeout(() => {
    clearTimeout(other);
    setTimeout(() => calls.push("of another"), 5);
  }, 10);
  const other = setTimeout(() => calls.push("cleared"), 12);
  time.tick(15);
  assertEquals(calls, ["of another"]);
});

Deno.test("FakeTime: an interval repeats until it is cleared", () => {
  using time = new FakeTime();
  let calls = 0;
  const interval = setInterval(() => calls++, 100);
  time.tick(350);
  clearInterval(interval);
  time.tick(1_000);
  assertEquals(calls, 3);
});

Deno.test("FakeTime: nextAsync lets promises run, then goes to the next timer", async () => {
  using time = new FakeTime(0);
  const done = (async () => {
    await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve, 5_000));
  })();
  assertEquals(await time.nextAsync(), true);
  await done;
  assertEquals([Date.now(), await time.nextAsync()], [5_000, false]);
});

Deno.test("FakeTime: a Date without arguments is the faked time, and dates stay dates", () => {
  using _time = new FakeTime("2026-01-02T03:04:05Z");
  const now = new Date();
  assertEquals(now.toISOString(), "2026-01-02T03:04:05.000Z");
  assert(now instanceof Date);
  assertEquals(new Date(86_400_000).toISOString(), "1970-01-02T00:00:00.000Z");
});

Deno.test("FakeTime: restoring gives everything back, once", () => {
  const before = [Date, setTimeout, clearTimeout, setInterval, clearInterval];
  const time = new FakeTime();
  assertThrows(() => new FakeTime(), TimeError);
  time.restore();
  assertEquals([Date, setTimeout, clearTimeout, setInterval, clearInterval], before);
  assertThrows(() => time.restore(), TimeError);
  assertThrows(() => new FakeTime(NaN), TimeError);
});
