import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { LogLimiter, omittedText, rateLimited } from "../../src/logging/rate_limited.ts";

Deno.test("LogLimiter.take: as many lines as may come at once, then one each interval, the rest counted", () => {
  let now = 1_000;
  const limiter = new LogLimiter({ everyMs: 100, burst: 3, now: () => now });
  const take = () => limiter.take();
  assertEquals([take(), take(), take(), take(), take()], [0, 0, 0, undefined, undefined]);
  now += 99;
  assertEquals(take(), undefined);
  now += 1;
  assertEquals([take(), take()], [3, undefined]);
  now += 1_000_000;
  assertEquals([take(), take(), take(), take()], [1, 0, 0, undefined]);
});

Deno.test("LogLimiter.take: each key has its own limit", () => {
  const limiter = new LogLimiter({ everyMs: 100, now: () => 0 });
  assertEquals([limiter.take("a"), limiter.take("b"), limiter.take("a")], [0, 0, undefined]);
});

Deno.test("LogLimiter.waitMs: the time until there is a line again", () => {
  let now = 0;
  const limiter = new LogLimiter({ everyMs: 100, burst: 2, now: () => now });
  assertEquals(limiter.waitMs(), 0);
  limiter.take();
  assertEquals(limiter.waitMs(), 0);
  now = 30;
  limiter.take();
  assertEquals(limiter.waitMs(), 70);
  now = 100;
  assertEquals([limiter.waitMs(), limiter.take()], [0, 0]);
});

Deno.test("omittedText: nothing where nothing was left out, else how many lines", () => {
  assertEquals([0, 1, 2].map(omittedText), [
    "",
    " (1 more such line left out)",
    " (2 more such lines left out)",
  ]);
});

Deno.test("LogLimiter.onOmitted: what a burst left out is told when a line is free, also if none follows", () => {
  using time = new FakeTime();
  const told: unknown[] = [];
  const onOmitted = (key: string, omitted: number) => void told.push([key, omitted]);
  const limiter = new LogLimiter({ everyMs: 1_000, now: Date.now, onOmitted });
  for (let count = 0; count < 5; count++) limiter.take("a");
  limiter.take("b");
  time.tick(999);
  assertEquals(told, []);
  time.tick(2);
  assertEquals(told, [["a", 4]]);
  assertEquals(limiter.take("a"), undefined);
  time.tick(10_000);
  assertEquals(told, [["a", 4], ["a", 1]]);
});

Deno.test("LogLimiter.onOmitted: a count that a line has told is not told again", () => {
  using time = new FakeTime();
  const told: unknown[] = [];
  let now = 0;
  const onOmitted = (key: string, omitted: number) => void told.push([key, omitted]);
  const limiter = new LogLimiter({ everyMs: 1_000, now: () => now, onOmitted });
  assertEquals([limiter.take(), limiter.take()], [0, undefined]);
  now = 1_000;
  assertEquals(limiter.take(), 1);
  now = 5_000;
  time.tick(5_000);
  assertEquals(told, []);
});

Deno.test("LogLimiter.isOwed: where a late line would say nothing, line and count are kept", () => {
  using time = new FakeTime();
  const told: unknown[] = [];
  let isOwed = false;
  const limiter = new LogLimiter({
    everyMs: 1_000,
    now: Date.now,
    onOmitted: (key, omitted) => void told.push([key, omitted]),
    isOwed: () => isOwed,
  });
  for (let count = 0; count < 3; count++) limiter.take("a");
  time.tick(1_000);
  assertEquals([told, limiter.take("a")], [[], 2]);
  isOwed = true;
  limiter.take("a");
  time.tick(1_000);
  assertEquals(told, [["a", 1]]);
});

Deno.test("LogLimiter: no line comes late once it is disposed", () => {
  using time = new FakeTime();
  const told: unknown[] = [];
  const onOmitted = (key: string, omitted: number) => void told.push([key, omitted]);
  const limiter = new LogLimiter({ everyMs: 1_000, now: Date.now, onOmitted });
  for (const key of ["a", "a", "b", "b"]) limiter.take(key);
  limiter[Symbol.dispose]();
  time.tick(10_000);
  assertEquals(told, []);
});

Deno.test("rateLimited: what was left out is said with the last detail", async () => {
  const said: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const say = rateLimited(20, (times, detail) => {
    said.push([times, detail]);
    if (said.length === 2) resolve();
  });
  for (const detail of ["a", "b", "c"]) say(detail);
  const alive = setTimeout(() => {}, 5_000);
  await promise;
  clearTimeout(alive);
  assertEquals(said, [[1, "a"], [2, "c"]]);
});
