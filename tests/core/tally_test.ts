import { assertEquals } from "@std/assert";
import { Tally } from "../../src/core/tally.ts";

Deno.test("Tally: labels that are known beforehand are there with 0, others once they are counted", () => {
  const tally = new Tally<string>(["channel", "stream"]);
  tally.add("stream");
  tally.add("other");
  tally.add("stream");
  assertEquals([...tally.counts], [["channel", 0], ["stream", 2], ["other", 1]]);
});
