import { assert, assertEquals } from "@std/assert";
import { FlushScheduler } from "../../../src/core/delivery/flush_scheduler.ts";

/** A scheduler whose turns end when the test says so. */
function underTest() {
  const ends: (() => void)[] = [];
  const scheduler = new FlushScheduler((end) => ends.push(end));
  return { scheduler, ends, endTurn: () => ends.splice(0).forEach((end) => end()) };
}

Deno.test("FlushScheduler: asks for the end of a turn once, however much is scheduled", () => {
  const { scheduler, ends } = underTest();
  for (let n = 0; n < 3; n++) scheduler.schedule({ flush: () => {} });
  assertEquals(ends.length, 1);
});

Deno.test("FlushScheduler: flushes each in order at the end of its turn, not before", () => {
  const { scheduler, endTurn } = underTest();
  const flushed: number[] = [];
  for (const n of [1, 2, 3]) scheduler.schedule({ flush: () => flushed.push(n) });
  assertEquals(flushed, []);
  endTurn();
  assertEquals(flushed, [1, 2, 3]);
  endTurn();
  assertEquals(flushed, [1, 2, 3], "nothing is flushed twice");
});

Deno.test("FlushScheduler: what a flush schedules belongs to the next turn and its chain", () => {
  const { scheduler, ends, endTurn } = underTest();
  const first = scheduler.root;
  let second: unknown;
  scheduler.schedule({
    flush: () => {
      second = scheduler.root;
      scheduler.schedule({ flush: () => {} });
    },
  });
  endTurn();
  assert(second !== first, "a new turn has a new chain");
  assertEquals(ends.length, 1, "the next turn's end was asked for");
});
