import { assertEquals } from "@std/assert";
import { Beats } from "../../src/core/beats.ts";

Deno.test("a beat is kept as long as a place that is named after it is of use", () => {
  const beats = new Beats();
  beats.add("a", { heard: 0, number: 0 });
  beats.add("b", { heard: 5, number: 5 });
  beats.add("c", { heard: 9, number: 9 });
  beats.trim(5);
  assertEquals(beats.get("a"), { heard: 0, number: 0 });
  beats.trim(6);
  assertEquals(["a", "b", "c"].map((id) => beats.get(id)?.heard), [undefined, 5, 9]);
  beats.trim(100);
  assertEquals(["b", "c"].map((id) => beats.get(id)?.heard), [undefined, 9]);
});

Deno.test("a node that hears nothing but beats for long keeps 10,000 of them", () => {
  const beats = new Beats();
  for (let n = 0; n < 40_000; n++) {
    beats.add(`b${n}`, { heard: 0, number: 0 });
    beats.trim(0);
  }
  assertEquals(beats.size, 10_000);
  assertEquals(beats.get("b29999"), undefined);
  assertEquals(beats.get("b30000"), { heard: 0, number: 0 });
});

Deno.test("after a break all beats are forgotten", () => {
  const beats = new Beats();
  beats.add("a", { heard: 0, number: 0 });
  beats.clear();
  assertEquals([beats.size, beats.get("a")], [0, undefined]);
});
