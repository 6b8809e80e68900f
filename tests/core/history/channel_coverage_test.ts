import { assertEquals } from "@std/assert";
import { ChannelCoverage } from "../../../src/core/history/channel_coverage.ts";
import { History } from "../../../src/core/history/history.ts";

/** A node that hears messages and markers, a second apart. */
class Node {
  readonly coverage: ChannelCoverage;
  readonly #history: History;
  #heard = 0;
  #now = 0;

  constructor(maxAgeMs = 300_000) {
    this.coverage = new ChannelCoverage(maxAgeMs);
    const options = { maxAgeMs, maxBytes: 1e9, maxMessageBytes: 1_000 };
    this.#history = new History({ ...options, hashSeed: 7, sources: ["channel"] });
  }

  get #place() {
    return { heard: this.#heard, window: this.#history.window };
  }

  hear(...things: string[]): void {
    for (const thing of things) {
      this.#now += 1_000;
      if (thing.startsWith("m")) {
        this.#heard++;
        this.#history.message('{"recipients":[]}', this.#now);
      } else {
        this.#history.marker(thing, this.#now);
        this.coverage.add(thing, this.#place, this.#now);
      }
    }
  }

  locate(marker: string, since: number) {
    return this.coverage.locate({ marker, since }, this.#place);
  }
}

Deno.test("ChannelCoverage: the messages since a marker name a place", () => {
  const node = new Node();
  node.hear("m", "a-1", "m", "m");
  assertEquals(node.locate("a-1", 0), { first: 1, caughtUpAt: 1 });
  assertEquals(node.locate("a-1", 1), { first: 2, caughtUpAt: 1 });
});

Deno.test("ChannelCoverage: a client that has heard more than this node waits", () => {
  const node = new Node();
  node.hear("a-1", "m");
  assertEquals(node.locate("a-1", 2), "ahead");
});

Deno.test("ChannelCoverage: a marker that was not heard is unknown, none at all is lost", () => {
  const node = new Node();
  node.hear("a-1");
  assertEquals([node.locate("b-1", 0), node.locate("", 0)], ["unknown marker", "lost"]);
});

Deno.test("ChannelCoverage: behind a break, no marker from before names a place", () => {
  const node = new Node();
  node.hear("a-1", "m");
  node.coverage.clear();
  assertEquals(node.locate("a-1", 0), "unknown marker");
});

Deno.test("ChannelCoverage: a place before the window is lost", () => {
  const node = new Node(2_500);
  node.hear("a-1", "m", "m", "m", "m", "m");
  assertEquals(node.locate("a-1", 1), "lost");
});

Deno.test("ChannelCoverage: a marker that is heard again says nothing", () => {
  const node = new Node();
  node.hear("a-1", "m");
  node.hear("a-1");
  assertEquals(node.locate("a-1", 1), { first: 1, caughtUpAt: 0 });
});
