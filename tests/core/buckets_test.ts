import { assertEquals } from "@std/assert";
import { Buckets } from "../../src/core/buckets.ts";

Deno.test("Buckets: a value counts for each bound that it does not pass", () => {
  const buckets = new Buckets([1, 10]);
  for (const value of [0.5, 1, 2, 11]) buckets.observe(value);
  assertEquals(buckets.cumulative, [2, 3]);
  assertEquals([buckets.count, buckets.sum], [4, 14.5]);
});

Deno.test("Buckets: what is below zero counts as zero", () => {
  const buckets = new Buckets([1]);
  buckets.observe(-5);
  assertEquals([buckets.cumulative, buckets.count, buckets.sum], [[1], 1, 0]);
});
