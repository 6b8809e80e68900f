import { assert } from "@std/assert";
import { trend } from "./trend.ts";

/** Ten minutes, a point each five seconds. */
const series = (value: (at: number) => number) =>
  Array.from({ length: 121 }, (_, i) => ({ at: i * 5, value: value(i * 5) }));

Deno.test("trend() forgives what grows while it warms up, and waves", () => {
  const { mean, rise, flat } = trend(series((at) => Math.min(at, 200) + 5 * Math.sin(at)));
  assert(flat);
  assert(Math.abs(mean - 200) < 1 && Math.abs(rise) < 3, `${mean} ${rise}`);
});

Deno.test("trend() forgives teeth that grow no higher", () => {
  const { rise, peaks, flat } = trend(series((at) => 120 + (at < 400 ? at % 200 : 200) / 3));
  assert(flat && rise > 10);
  assert(Math.abs(peaks[0] - peaks[1]) < 2, `${peaks}`);
});

Deno.test("trend() finds a leak under waves", () => {
  const { rise, flat } = trend(series((at) => 200 + 0.05 * at + 5 * Math.sin(at)));
  assert(!flat);
  assert(Math.abs(rise - 15) < 3, `${rise}`);
});
