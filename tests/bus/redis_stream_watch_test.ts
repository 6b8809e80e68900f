import { assertEquals } from "@std/assert";
import { BusUnavailable } from "../../src/bus/port.ts";
import { RedisStreamWatch } from "../../src/bus/redis_stream_watch.ts";
import type { ReaderPhase } from "../../src/bus/redis_stream_state.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A watch of a stream whose entries the test sets, and what it reported. */
class Watched implements Disposable {
  entries: string[] = [];
  fails = false;
  readonly reader = { last: "0-0", lastEntryKnown: false, phase: "live" as ReaderPhase };
  readonly reports: string[] = [];
  readonly watch = new RedisStreamWatch({
    stream: "my_stream",
    reader: this.reader,
    ask: (command, _stream, from) =>
      this.fails
        ? Promise.reject(new BusUnavailable("refused", "CLOSED: no connection"))
        : Promise.resolve(
          command === "xrevrange"
            ? this.entries.slice(-1).map((id) => [id])
            : this.entries.filter((id) => id === from).map((id) => [id]),
        ),
    onTrimmed: () => this.reports.push("trimmed"),
    onCheckFailed: () => this.reports.push("check failed"),
    onStalled: (_reason, stuck) => this.reports.push(stuck ? "stuck" : "slow"),
  });

  [Symbol.dispose](): void {
    this.watch[Symbol.dispose]();
  }
}

Deno.test("RedisStreamWatch: a reader at the end is well", async () => {
  using time = new FakeClock();
  using watched = new Watched();
  watched.entries = ["1-0"];
  Object.assign(watched.reader, { last: "1-0", lastEntryKnown: true });
  watched.watch.start();
  await time.pass(10_000, 500);
  assertEquals([watched.reports, watched.watch.isTrailing("1-0")], [[], false]);
});

Deno.test("RedisStreamWatch: a last entry that is gone, or a stream that ends before it, was trimmed", async () => {
  using time = new FakeClock();
  using gone = new Watched();
  gone.entries = ["3-0"];
  Object.assign(gone.reader, { last: "2-0", lastEntryKnown: true });
  using before = new Watched();
  before.reader.last = "5-0";
  for (const { watch } of [gone, before]) watch.start();
  await time.pass(1_000, 500);
  assertEquals([gone.reports, before.reports], [["trimmed"], ["trimmed"]]);
});

Deno.test("RedisStreamWatch: a reader that does not move for 5 s is stuck, one that moves is slow", async () => {
  using time = new FakeClock();
  using stuck = new Watched();
  using slow = new Watched();
  for (const { watch } of [stuck, slow]) watch.start();
  stuck.entries = slow.entries = ["9-0"];
  await time.pass(2_000, 500);
  assertEquals(stuck.watch.isTrailing("0-0"), true);
  slow.reader.last = "4-0";
  await time.pass(4_000, 500);
  assertEquals([stuck.reports, slow.reports], [[], []]);
  await time.pass(1_000, 500);
  assertEquals([stuck.reports, slow.reports], [["stuck"], ["slow"]]);
});

Deno.test("RedisStreamWatch: a reader that gets to the end in time is not reported", async () => {
  using time = new FakeClock();
  using watched = new Watched();
  watched.watch.start();
  for (let n = 1; n <= 12; n++) {
    watched.entries = [`${n}-0`];
    await time.pass(1_000, 500);
    watched.reader.last = `${n}-0`;
  }
  assertEquals(watched.reports, []);
});

Deno.test("RedisStreamWatch: a reader that still loads its window may trail", async () => {
  using time = new FakeClock();
  using watched = new Watched();
  watched.reader.phase = "loading";
  watched.entries = ["9-0"];
  watched.watch.start();
  await time.pass(10_000, 500);
  assertEquals(watched.reports, []);
});

Deno.test("RedisStreamWatch: checks that fail are reported once none has succeeded for 5 s", async () => {
  using time = new FakeClock();
  using watched = new Watched();
  watched.watch.start();
  await time.pass(10_000, 500);
  watched.fails = true;
  await time.pass(5_000, 500);
  assertEquals(watched.reports, []);
  await time.pass(1_000, 500);
  assertEquals(watched.reports, ["check failed"]);
});
