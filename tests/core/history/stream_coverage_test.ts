import { assertEquals } from "@std/assert";
import { History } from "../../../src/core/history/history.ts";
import { StreamCoverage } from "../../../src/core/history/stream_coverage.ts";

/** What a node has heard, and what it knows of the stream by that. */
function node({ from = "0-0", entries = [] as string[], maxAgeMs = 300_000 } = {}) {
  const history = new History({
    hashSeed: 7,
    maxAgeMs,
    maxBytes: 1e9,
    maxMessageBytes: 1_000,
    sources: ["stream"],
  });
  const coverage = new StreamCoverage();
  coverage.begin({ id: from, number: 0 });
  let present = from;
  let now = 0;
  for (const id of entries) {
    coverage.add(id);
    history.entry(id, `{"recipients":[],"id":"${id}"}`, now += 1_000);
    present = id;
  }
  return { coverage, locate: (id: string) => coverage.locate(id, present, history.window) };
}

Deno.test("StreamCoverage: nothing is known before the first start", () => {
  const coverage = new StreamCoverage();
  assertEquals(coverage.state, "unknown");
  coverage.begin({ id: "5-0", number: 0 });
  assertEquals(coverage.state, "covered");
});

Deno.test("StreamCoverage: a client goes on behind the entry that it has", () => {
  const { locate } = node({ entries: ["1-0", "2-0", "3-0"] });
  assertEquals(locate("2-0"), { first: 2, caughtUpAt: 1 });
  assertEquals(locate("3-0"), { first: 3, caughtUpAt: 2 });
});

Deno.test("StreamCoverage: an id between two entries names the place between them", () => {
  const { locate } = node({ entries: ["1-0", "3-0"] });
  assertEquals(locate("2-0"), { first: 1, caughtUpAt: 1 });
});

Deno.test("StreamCoverage: a client that knows more than this node waits", () => {
  assertEquals(node({ entries: ["1-0"] }).locate("1-1"), "ahead");
});

Deno.test("StreamCoverage: what the window has left behind is lost, its edge is not", () => {
  const { locate } = node({ from: "1-0", entries: ["2-0", "3-0", "4-0", "5-0"], maxAgeMs: 1_500 });
  assertEquals(locate("2-0"), "lost");
  assertEquals(locate("3-0"), { first: 2, caughtUpAt: 2 });
});

Deno.test("StreamCoverage: positions from before the start are lost", () => {
  const { locate } = node({ from: "5-0", entries: ["6-0"] });
  assertEquals([locate("4-0"), locate("5-0")], ["lost", { first: 0, caughtUpAt: 0 }]);
});

Deno.test("StreamCoverage: positions of a stream that was replaced are lost, though ids look alike", () => {
  const { coverage, locate } = node({ from: "9-0" });
  coverage.begin({ id: "0-0", number: 0 }, "9-0");
  assertEquals([locate("8-0"), locate("9-0")], ["lost", "lost"]);
});

Deno.test("StreamCoverage: a stream that began empty has given no id before its first entry's", () => {
  assertEquals(node({ from: "0-0", entries: ["7-0"] }).locate("3-0"), "lost");
  assertEquals(node({ from: "0-0", entries: ["7-0"] }).locate("0-0"), { first: 0, caughtUpAt: 0 });
});
