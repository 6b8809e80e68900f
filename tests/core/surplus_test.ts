import { assertEquals } from "@std/assert";
import { excess, type NodeLoad, surplus } from "../../src/core/surplus.ts";

const own = (connections: number, more: Partial<NodeLoad> = {}) => ({
  isThis: true,
  connections,
  readySeconds: 60,
  ...more,
});
const other = (connections: number, more: Partial<NodeLoad> = {}) => ({
  ...own(connections, more),
  isThis: false,
});

Deno.test("surplus: is what lies above 1.2 times the mean", () => {
  assertEquals(surplus([own(1_000), other(0)]), 400);
  assertEquals(surplus([other(0), own(601), other(400)]), 201);
  assertEquals(surplus([own(600), other(400)]), 0);
  assertEquals(surplus([own(601), other(400)]), 1);
  assertEquals(surplus([own(400), other(600)]), 0);
});

Deno.test("surplus: counts nodes alone that have been ready for 10 s and do not drain", () => {
  assertEquals(surplus([own(900), other(0, { readySeconds: 9 })]), 0);
  assertEquals(surplus([own(900), other(0, { readySeconds: undefined })]), 0);
  assertEquals(surplus([own(900), other(0, { isDraining: true })]), 0);
  assertEquals(surplus([own(900, { readySeconds: 9 }), other(0)]), 0);
  assertEquals(surplus([own(900, { isDraining: true }), other(0)]), 0);
  assertEquals(surplus([own(900), other(0), other(0, { readySeconds: 9 })]), 360);
  assertEquals(surplus([own(900), other(0, { readySeconds: 10 })]), 360);
});

Deno.test("surplus: never hands a client to and fro between nodes that have few", () => {
  for (let mine = 0; mine <= 12; mine++) {
    for (let theirs = 0; theirs <= mine; theirs++) {
      const moved = surplus([own(mine), other(theirs)]);
      const after = mine - moved;
      assertEquals(surplus([own(after), other(theirs + moved)]), 0, `${mine} to ${theirs}`);
      assertEquals(surplus([other(after), own(theirs + moved)]), 0, `${mine} to ${theirs}, back`);
    }
  }
});

Deno.test("surplus: a node alone, an empty system and one that is not known have none", () => {
  assertEquals(surplus([own(900)]), 0);
  assertEquals(surplus([own(0), other(0)]), 0);
  assertEquals(surplus([other(900), other(0)]), 0);
  assertEquals(surplus([]), 0);
});

Deno.test("excess: is what all nodes have above 1.2 times their mean, those left out that are not settled", () => {
  assertEquals(excess([own(1_000), other(0)]), 400);
  assertEquals(Math.round(excess([own(500), other(500), other(0)])), 200);
  assertEquals(excess([own(600), other(400)]), 0);
  assertEquals(excess([own(600), other(400), other(0, { readySeconds: 9 })]), 0);
  assertEquals(excess([]), 0);
});
