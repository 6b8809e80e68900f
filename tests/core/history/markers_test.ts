import { assertEquals } from "@std/assert";
import { Markers } from "../../../src/core/history/markers.ts";

const AGE_MS = 1_000;

Deno.test("Markers: one is kept as long as a place that is named after it is of use", () => {
  const markers = new Markers(AGE_MS);
  markers.add("a", { heard: 0, number: 0, at: 0 });
  markers.add("b", { heard: 5, number: 5, at: 0 });
  markers.add("c", { heard: 9, number: 9, at: 0 });
  markers.trim(5, 0);
  assertEquals(markers.get("a"), { heard: 0, number: 0, at: 0 });
  markers.trim(6, 0);
  assertEquals(["a", "b", "c"].map((id) => markers.get(id)?.heard), [undefined, 5, 9]);
  markers.trim(100, 0);
  assertEquals(["b", "c"].map((id) => markers.get(id)?.heard), [undefined, 9]);
});

Deno.test("Markers: a node that hears nothing else for long keeps 10,000 of them", () => {
  const markers = new Markers(AGE_MS);
  for (let n = 0; n < 40_000; n++) {
    markers.add(`b${n}`, { heard: 0, number: 0, at: n });
    markers.trim(0, n);
  }
  assertEquals(markers.size, 10_000);
  assertEquals(markers.get("b29999"), undefined);
  assertEquals(markers.get("b30000"), { heard: 0, number: 0, at: 30_000 });
});

Deno.test("Markers: a flood of them pushes out none that is younger than the window", () => {
  const markers = new Markers(AGE_MS);
  markers.add("node-1", { heard: 0, number: 0, at: 0 });
  for (let n = 0; n < 40_000; n++) {
    markers.add(`flood-${n.toString(36)}`, { heard: 0, number: 0, at: AGE_MS });
    markers.trim(0, AGE_MS);
  }
  assertEquals(markers.get("node-1"), { heard: 0, number: 0, at: 0 });
});

Deno.test("Markers: one that was heard before is not added again, though it is forgotten", () => {
  const markers = new Markers(AGE_MS);
  const marker = { heard: 3, number: 3, at: 0 };
  assertEquals(markers.add("node-z", marker), true);
  assertEquals(markers.add("node-10", marker), true); // "10" follows "z" in base 36
  markers.clear();
  assertEquals(markers.add("node-z", { heard: 9, number: 9, at: 5 }), false);
  assertEquals(markers.add("node-10", { heard: 9, number: 9, at: 5 }), false);
  assertEquals(markers.get("node-z"), undefined);
  assertEquals(markers.add("node-11", { heard: 9, number: 9, at: 5 }), true);
  assertEquals(markers.add("other-1", { heard: 9, number: 9, at: 5 }), true);
});

Deno.test("Markers: after a break all are forgotten", () => {
  const markers = new Markers(AGE_MS);
  markers.add("a", { heard: 0, number: 0, at: 0 });
  markers.clear();
  assertEquals([markers.size, markers.get("a")], [0, undefined]);
});
