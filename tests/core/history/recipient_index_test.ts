import { assertEquals } from "@std/assert";
import { RecipientIndex } from "../../../src/core/history/recipient_index.ts";

/** An index of envelopes, whose numbers are their places in the list. */
function indexOf(envelopes: readonly (readonly string[] | "*")[]): RecipientIndex {
  const index = new RecipientIndex();
  envelopes.forEach((recipients, number) => index.add(number, recipients));
  return index;
}

Deno.test("RecipientIndex: finds what is for any of the names or for everyone, ascending and once", () => {
  const index = indexOf([["ann"], ["bob"], "*", ["bob", "ann"], ["carl"]]);
  assertEquals([...index.numbers(["ann", "bob"], 0)], [0, 1, 2, 3]);
  assertEquals([...index.numbers(["carl"], 0)], [2, 4]);
  assertEquals([...index.numbers(["nobody"], 0)], [2]);
});

Deno.test("RecipientIndex: begins where it is asked to", () => {
  const index = indexOf([["ann"], "*", ["ann"], ["ann"]]);
  assertEquals([...index.numbers(["ann"], 1)], [1, 2, 3]);
  assertEquals([...index.numbers(["ann"], 4)], []);
});

Deno.test("RecipientIndex: a name that is repeated in an envelope counts once", () => {
  const index = indexOf([["ann", "ann"]]);
  index.removeOldest(0, ["ann", "ann"]);
  assertEquals([[...index.numbers(["ann"], 0)], index.size], [[], 0]);
});

Deno.test("RecipientIndex: nothing of a name is kept after its last envelope", () => {
  const index = indexOf([["ann", "bob"], ["ann"], "*"]);
  assertEquals(index.size, 2);
  index.removeOldest(0, ["ann", "bob"]);
  assertEquals([index.size, [...index.numbers(["ann", "bob"], 0)]], [1, [1, 2]]);
  index.removeOldest(1, ["ann"]);
  index.removeOldest(2, "*");
  assertEquals([index.size, [...index.numbers(["ann"], 0)]], [0, []]);
});
