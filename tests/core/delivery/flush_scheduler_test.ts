import { assert, assertEquals } from "@std/assert";
import { type Flushable, FlushScheduler } from "../../../src/core/delivery/flush_scheduler.ts";

/** An event loop whose turns end when the test says so, and whose clock stands while nothing is done. */
class Loop {
  time = 0;
  #ends: (() => void)[] = [];
  #nextTurn: (() => void)[] = [];
  readonly scheduler = new FlushScheduler({
    atEnd: (flush) => this.#ends.push(flush),
    later: (flush) => this.#nextTurn.push(flush),
    now: () => this.time,
  });

  endTurn(): void {
    for (const end of [...this.#nextTurn.splice(0), ...this.#ends.splice(0)]) end();
  }
}

/** What a flush takes, in milliseconds. */
const FLUSH_MS = 0.25;

function outboxes(loop: Loop, count: number, flushed: number[]): Flushable[] {
  return Array.from({ length: count }, (_, n) => ({
    flush: () => {
      flushed.push(n);
      loop.time += FLUSH_MS;
    },
  }));
}

Deno.test("FlushScheduler: goes on in the next turn after 10 ms, in order, each outbox once", () => {
  const loop = new Loop();
  const flushed: number[] = [];
  for (const outbox of outboxes(loop, 500, flushed)) loop.scheduler.schedule(outbox);
  let turns = 0;
  for (; flushed.length < 500; turns++) {
    assert(turns < 500);
    const before = loop.time;
    loop.endTurn();
    assert(loop.time > before && loop.time - before <= 10 + 16 * FLUSH_MS, "a slice is 10 ms");
  }
  assert(turns >= 500 * FLUSH_MS / (10 + 16 * FLUSH_MS), `${turns} turns`);
  assertEquals(flushed, [...Array(500).keys()]);
  loop.endTurn();
  assertEquals(flushed.length, 500);
});

Deno.test("FlushScheduler: what is scheduled while others wait comes behind them", () => {
  const loop = new Loop();
  const flushed: number[] = [];
  const all = outboxes(loop, 301, flushed);
  for (const outbox of all.slice(0, 300)) loop.scheduler.schedule(outbox);
  loop.endTurn();
  assert(flushed.length < 300);
  const { root } = loop.scheduler;
  loop.scheduler.schedule(all[300]!);
  for (let turns = 0; flushed.length < 301; turns++) {
    assert(turns < 300);
    loop.endTurn();
  }
  assertEquals(flushed, [...Array(301).keys()]);
  assert(loop.scheduler.root !== root, "nothing is kept of a chain");
});

Deno.test("FlushScheduler: so many may write at once in one turn, and as many in the next", () => {
  const loop = new Loop();
  for (let turn = 0; turn < 3; turn++) {
    let writes = 0;
    while (loop.scheduler.mayWriteAtOnce()) assert(++writes < 10_000);
    assertEquals(writes, 500);
    loop.endTurn();
  }
});

/** A scheduler whose turns end when the test says so. */
function underTest() {
  const ends: (() => void)[] = [];
  const scheduler = new FlushScheduler({
    atEnd: (end) => ends.push(end),
    later: (end) => ends.push(end),
    now: () => 0,
  });
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
