import { assertEquals } from "@std/assert";
import { LogLimiter, omittedText } from "../../src/logging/rate_limited.ts";

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
