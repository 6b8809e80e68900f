/** The memory of a window that is full of large envelopes: some seconds of work. */
import { assert, assertEquals } from "@std/assert";
import { History } from "../../../src/core/history/history.ts";
import type { Replay } from "../../../src/core/history/replay.ts";
import type { Position } from "../../../src/core/position.ts";

/** What a client of `ann` missed behind `position`, which the history knows. */
function replayOf(history: History, position: Position): Replay {
  const result = history.resume(position, ["ann"]);
  assert(result.state === "decided" && result.lost.length === 0);
  return result.replay;
}

Deno.test("envelopes of 26,000 recipients, their index and their events keep to the window's bytes", () => {
  const maxBytes = 2 ** 26;
  const history = new History({
    hashSeed: 7,
    maxAgeMs: Infinity,
    maxBytes,
    maxMessageBytes: 2 ** 18,
    sources: ["channel"],
  });
  history.historyLoaded("0-0");
  history.marker("b1", 0);
  const heap = () => {
    const { gc } = globalThis as unknown as { gc?: () => void };
    gc?.();
    const { heapUsed, external } = Deno.memoryUsage();
    return heapUsed + external;
  };
  const before = heap();
  const names = (n: number) =>
    Array.from({ length: 25_999 }, (_, i) => `"${String(n * 26_000 + i).padStart(7, "u")}"`);
  const { window } = history;
  let n = 0;
  for (; n < 128; n++) {
    history.message(`{"recipients":["ann",${names(n)}],"n":${n}}`, 0);
  }
  const after = { ...history.position, since: window.first };
  const replay = replayOf(history, after);
  let got = 0;
  while (!replay.done) {
    got += replay.read(65_536).length;
    assert(window.bytes <= maxBytes, `the window takes ${window.bytes}`);
  }
  assert(got > 80, `${got} envelopes only`);
  // Their names as texts alone would take over 100 MB more.
  assert(heap() - before < maxBytes, `the heap grew by ${heap() - before}`);
  const again = replayOf(history, { ...after, since: window.first });
  let count = 0;
  while (!again.done) count += again.read(1_000_000).length;
  assertEquals(count, window.end - window.first);
});
