import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Queue } from "../../../src/core/history/queue.ts";

Deno.test("a queue's items keep their numbers, however many before them are gone", () => {
  const steps = fc.array(fc.boolean(), { maxLength: 200, size: "max" });
  fc.assert(fc.property(steps, (steps) => {
    const queue = new Queue<number>();
    const model: number[] = [];
    let gone = 0;
    for (const push of steps) {
      if (push) {
        queue.push(model.length * 10);
        model.push(model.length * 10);
      } else {
        assertEquals(queue.shift(), model[gone]);
        gone = Math.min(gone + 1, model.length);
      }
      assertEquals([queue.first, queue.end], [gone, model.length]);
      for (let n = 0; n <= model.length; n++) {
        assertEquals(queue.at(n), n < gone ? undefined : model[n]);
        assertEquals(queue.search((item) => item < n * 10), Math.max(gone, n));
      }
    }
  }));
});

Deno.test("a queue of a million items is emptied in no time", () => {
  const queue = new Queue<number>();
  for (let n = 0; n < 1_000_000; n++) queue.push(n);
  const start = performance.now();
  for (let n = 0; n < 1_000_000; n++) queue.shift();
  // Moving the rest at every step would take minutes.
  assert(performance.now() - start < 20_000);
});

Deno.test("a queue's item can be replaced, and a search is told numbers as well", () => {
  const queue = new Queue<string>();
  for (const item of ["a", "b", "c", "d", "e"]) queue.push(item);
  queue.shift();
  queue.set(2, "x");
  assertEquals([queue.at(1), queue.at(2), queue.at(3), queue.end], ["b", "x", "d", 5]);
  assertEquals(queue.search((_, number) => number < 3), 3);
});
