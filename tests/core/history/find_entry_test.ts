import { assert, assertEquals } from "@std/assert";
import { findEntry } from "../../../src/core/history/find_entry.ts";
import { History } from "../../../src/core/history/history.ts";
import { formatCursor, parseCursor } from "../../../src/core/position.ts";

function started(maxBytes = 1_000_000): History {
  const history = new History({
    hashSeed: 7,
    maxAgeMs: 1_000,
    maxBytes,
    maxMessageBytes: 10_000,
    sources: ["channel", "stream"],
  });
  history.historyLoaded("0-0");
  history.marker("b1", 0);
  return history;
}

const envelope = (n: number) => `{"recipients":["ann"],"n":${n}}`;

/** What is found, with the body where it is here. */
function found(history: History, cursor: string): unknown[] {
  return findEntry(history, parseCursor(cursor)!).map((one) => {
    if (one.state !== "here") return `${one.source} ${one.state}`;
    const delivery = one.entry.read();
    assert(typeof delivery !== "string");
    return `${one.source} ${delivery.event.body}`;
  });
}

Deno.test("findEntry: an id of the stream names its entry, and so does the cursor of each message", () => {
  const history = started();
  const cursors = [
    history.message(envelope(1), 1),
    history.entry("5-0", envelope(2), 2),
    history.message(envelope(3), 3),
    history.message(envelope(4), 3),
    history.entry("6-0", envelope(5), 4),
  ].map(({ position }) => formatCursor(position));
  assertEquals(found(history, "5-0"), ['stream {"n":2}']);
  assertEquals(found(history, "6-0"), ['stream {"n":5}']);
  assertEquals(cursors.map((cursor) => found(history, cursor)), [
    ['channel {"n":1}'],
    ['stream {"n":2}'],
    ['channel {"n":3}'],
    ['channel {"n":4}'],
    ['stream {"n":5}'],
  ]);
});

Deno.test("findEntry: what is ahead, evicted, not there or not known is told apart", () => {
  const history = started(1_000);
  history.entry("3-0", envelope(0), 1);
  history.message(envelope(0), 1);
  for (let n = 1; n <= 10; n++) history.entry(`${n * 2 + 10}-0`, envelope(n), 2);
  assertEquals(found(history, "31-0"), ["stream ahead"]);
  assertEquals(found(history, "3-0"), ["stream evicted"]);
  assertEquals(found(history, "29-0"), ["stream never"]);
  assertEquals(found(history, "30-0~b1~1"), ['stream {"n":10}']);
  assertEquals(found(history, "0-0~b1~1"), ["channel evicted"]);
  assertEquals(found(history, "0-0~b1~9"), ["channel ahead"]);
  assertEquals(found(history, "0-0~other~1"), ["channel unknown"]);
  assertEquals(found(history, "0-0~b1~0"), []);
});
