import { assert, assertEquals } from "@std/assert";
import { waitFor } from "../support/wait.ts";
import { type BlockedWriter, WriteRetries } from "../../src/gateway/write_retries.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A connection with `pieces` to send, of which each try takes one, or none. */
class Client implements BlockedWriter {
  sent = 0;
  tries = 0;
  readonly #retries: WriteRetries;
  readonly #pieces: number;
  readonly #reads: boolean;

  constructor(retries: WriteRetries, pieces: number, reads: boolean) {
    this.#retries = retries;
    this.#pieces = pieces;
    this.#reads = reads;
    retries.add(this);
  }

  drain(): void {
    this.tries++;
    if (this.#reads) this.sent++;
    if (this.sent < this.#pieces) this.#retries.add(this);
  }
}

Deno.test("WriteRetries: one that reads gets its next piece in a millisecond, beside one that does not read", () => {
  using time = new FakeClock();
  using retries = new WriteRetries();
  const stalled = new Client(retries, 1, false);
  time.tick(300); // long enough for the longest wait
  const reader = new Client(retries, 100, true);
  time.tick(50 + 99);
  assertEquals([reader.sent, stalled.sent], [100, 0]);
});

Deno.test("WriteRetries: tries ever more seldom while no connection takes anything", () => {
  using time = new FakeClock();
  using retries = new WriteRetries();
  const stalled = new Client(retries, 1, false);
  const gaps: number[] = [];
  for (let last = 0, now = 1; gaps.length < 9; now++) {
    const { tries } = stalled;
    time.tick(1);
    if (stalled.tries === tries) continue;
    gaps.push(now - last);
    last = now;
  }
  assertEquals(gaps, [1, 2, 4, 8, 16, 32, 50, 50, 50]);
});

Deno.test("WriteRetries: does nothing once no connection waits", () => {
  using time = new FakeClock();
  using retries = new WriteRetries();
  const stalled = new Client(retries, 1, false);
  time.tick(100);
  retries.delete(stalled);
  const { tries } = stalled;
  time.tick(1_000);
  assert(tries > 0);
  assertEquals([stalled.tries, time.next()], [tries, false]);
});

Deno.test("WriteRetries lets others have their turn while many are tried, and tries each in order", async () => {
  using retries = new WriteRetries();
  const order: number[] = [];
  const longest = { ms: 0 };
  let last = performance.now();
  for (let n = 0; n < 200; n++) {
    retries.add({
      sent: 0,
      drain() {
        const now = performance.now();
        if (now - last > 1) longest.ms = 0; // Something else had its turn.
        last = now + 0.5;
        while (performance.now() < last);
        longest.ms += 0.5;
        assert(longest.ms <= 8 + 8 * 0.5, "a turn took too long");
        order.push(n);
      },
    });
  }
  await waitFor("all to be tried", () => order.length === 200);
  assertEquals(order, [...Array(200).keys()]);
});
