import { assertEquals } from "@std/assert";
import { repeat } from "../../src/gateway/repeat.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A task that takes as long as the test wants. */
function slowTask() {
  const ends: (() => void)[] = [];
  return { ends, run: () => new Promise<void>((resolve) => void ends.push(resolve)) };
}

Deno.test("repeat: calls each time so long after the last call began, never two at a time", async () => {
  using time = new FakeClock();
  const { ends, run } = slowTask();
  using _ = repeat(run, 1_000);
  time.tick(999);
  assertEquals(ends.length, 0);
  time.tick(1);
  assertEquals(ends.length, 1);
  time.tick(600);
  ends[0]!();
  await time.runMicrotasks();
  time.tick(399);
  assertEquals(ends.length, 1);
  time.tick(1);
  assertEquals(ends.length, 2);
  time.tick(5_000);
  assertEquals(ends.length, 2, "a call while the last one is under way");
  ends[1]!();
  await time.runMicrotasks();
  time.tick(99);
  assertEquals(ends.length, 2, "no pause after a call that took long");
  time.tick(1);
  assertEquals(ends.length, 3);
});

Deno.test("repeat: calls no more once it is disposed, be it while a call is under way", async () => {
  using time = new FakeClock();
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
