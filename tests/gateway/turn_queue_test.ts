import { assert, assertEquals } from "@std/assert";
import { TurnQueue } from "../../src/gateway/turn_queue.ts";
import { waitFor } from "../support/wait.ts";

/** Keeps the event loop busy for so many milliseconds. */
function work(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

Deno.test("TurnQueue: does what there is time for at once, the rest in order in later turns", async () => {
  const turns = new TurnQueue();
  const done: number[] = [];
  for (let n = 0; n < 50; n++) {
    turns.run(() => {
      done.push(n);
      work(1);
    });
  }
  const atOnce = done.length;
  assert(atOnce >= 1 && atOnce <= 9, `${atOnce} at once`);
  // Timers have their turn in between.
  let seen = 0;
  const timer = setInterval(() => {
    if (done.length > atOnce && done.length < 50) seen++;
  }, 1);
  await waitFor("all of it", () => done.length === 50);
  clearInterval(timer);
  assertEquals(done, [...Array(50).keys()]);
  assert(seen > 0, "no timer had its turn");
});

Deno.test("TurnQueue: does nothing at once of what is for a later turn, nor what that adds", async () => {
  const turns = new TurnQueue();
  const done: string[] = [];
  turns.later(() => {
    done.push("first");
    turns.later(() => done.push("third"));
  });
  turns.run(() => done.push("second"));
  assertEquals(done, []);
  await waitFor("all of it", () => done.length === 3);
  assertEquals(done, ["first", "second", "third"]);
});
