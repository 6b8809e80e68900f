import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { plot } from "./plot.ts";

const BARS = [
  { title: "a peer", value: 100, own: false },
  { title: "Keywire <v1>", value: 400, own: true },
];
const words = { title: "Speed & more", says: "deliveries" };

Deno.test("plot() draws the longest bar first, and lengths in proportion", () => {
  const lengths = [
    ...plot(BARS, words).matchAll(/class="(\w+)" x="\d+" y="\d+" width="([\d.]+)"/g),
  ];
  assertEquals(lengths.map(([, kind]) => kind), ["own", "peer"]);
  assertEquals(Number(lengths[0]![2]) / 4, Number(lengths[1]![2]));
});

Deno.test("plot() escapes what it is given", () => {
  const svg = plot(BARS, words);
  assertStringIncludes(svg, "Keywire &#60;v1&#62;");
  assertStringIncludes(svg, "Speed &#38; more");
  assert(!svg.includes("<v1>"));
});
