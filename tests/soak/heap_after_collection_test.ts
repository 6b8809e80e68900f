import { assertEquals } from "@std/assert";
import { heapAfterCollection } from "./heap_after_collection.ts";

Deno.test("heapAfterCollection() reads what the last full collection left", () => {
  const lines = [
    "[7277:0x55cc]       79 ms: Scavenge 41.4 (59.6) -> 23.2 (54.4) MB, pooled: 0.0 MB",
    "[7277:0x55cc]      101 ms: Incremental Mark-Compact 33.3 (58.3) -> 14.8 (41.2) MB, pooled",
    "[7277:0x55cc]      120 ms: Mark-Compact (reduce) 20.1 (58.3) -> 13.5 (41.2) MB, pooled",
    '{"level":"INFO"}',
  ];
  const read = lines.map((_, i) => heapAfterCollection(lines.slice(0, i + 1).join("\n")));
  assertEquals(read, [undefined, 14.8, 13.5, 13.5]);
});
