import { assertEquals } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { repeat } from "../../src/gateway/repeat.ts";

/** A task that takes as long as the test wants. */
function slowTask() {
  const ends: (() => void)[] = [];
  return { ends, run: () => new Promise<void>((resolve) => void ends.push(resolve)) };
}

Deno.test("repeat: calls each time so long after the last call has ended, not before", async () => {
  using time = new FakeTime();
  const { ends, run } = slowTask();
  using _ = repeat(run, 1_000);
  time.tick(999);
  assertEquals(ends.length, 0);
  time.tick(5_001);
  assertEquals(ends.length, 1, "a second call while the first is under way");
  ends[0]!();
  await Promise.resolve();
  time.tick(999);
  assertEquals(ends.length, 1);
  time.tick(1);
  assertEquals(ends.length, 2);
});

Deno.test("repeat: calls no more once it is disposed, be it while a call is under way", async () => {
  using time = new FakeTime();
  const { ends, run } = slowTask();
  repeat(run, 1_000)[Symbol.dispose]();
  time.tick(10_000);
  assertEquals(ends.length, 0);
  const busy = repeat(run, 1_000);
  time.tick(1_000);
  busy[Symbol.dispose]();
  ends[0]!();
  await Promise.resolve();
  time.tick(10_000);
  assertEquals(ends.length, 1);
});
