import { setImmediate as nextTurn } from "node:timers/promises";
import { assert, assertEquals } from "@std/assert";
import { UpgradeQueue } from "../../src/gateway/upgrade_queue.ts";

Deno.test("UpgradeQueue: few share a turn, in the order in which they came, and none is left", async () => {
  const upgrades = new UpgradeQueue();
  const done: number[] = [];
  const turns: number[] = [];
  let isOver = true;
  const ask = async (n: number) => {
    await upgrades.turn();
    done.push(n);
    if (isOver) {
      turns.push(0);
      nextTurn().then(() => isOver = true);
    }
    isOver = false;
    turns[turns.length - 1]!++;
  };
  const asked = Array.from({ length: 40 }, (_, n) => ask(n));
  await Promise.resolve();
  assertEquals(done, [], "not in the turn that asks");
  await asked[0];
  asked.push(ask(40));
  await Promise.all(asked);
  assertEquals(done, [...Array(41).keys()]);
  assert(turns.every((count) => count <= 8), `${turns}`);
  await ask(41);
  assertEquals(done.at(-1), 41);
});
