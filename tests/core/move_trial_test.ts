import { assertEquals } from "@std/assert";
import { MoveTrial } from "../../src/core/move_trial.ts";

/** A trial of two nodes that have 1,000 connections, and one round of it. */
function twoNodes() {
  const trial = new MoveTrial();
  let now = 0;
  return {
    trial,
    /** Lets `seconds` pass, and judges what has become of the node's own connections. */
    round: (own: number, { seconds = 1, nodes = ["a", "b"] } = {}) => {
      now += seconds * 1_000;
      const excess = Math.max(0, own - 600);
      const failed = trial.judge({ nodes, excess, own, total: 1_000, now });
      return { failed, isPaused: trial.isPaused(now) };
    },
  };
}

Deno.test("MoveTrial: judges nothing before a fifth of the connections was sent away", () => {
  const { trial, round } = twoNodes();
  round(1_000);
  trial.add(199);
  assertEquals(round(1_000), { failed: undefined, isPaused: false });
  trial.add(1);
  assertEquals(round(1_000), { failed: { told: 200, pauseMs: 60_000 }, isPaused: true });
});

Deno.test("MoveTrial: goes on without a pause while a quarter of those sent away is gone", () => {
  const { trial, round } = twoNodes();
  round(1_000);
  trial.add(200);
  assertEquals(round(950), { failed: undefined, isPaused: false });
  trial.add(200);
  assertEquals(round(901).failed?.told, 200);
});

Deno.test("MoveTrial: doubles the pause at each failure up to half an hour, and forgets it at a success", () => {
  const { trial, round } = twoNodes();
  const pauses: (number | undefined)[] = [];
  const fail = () => {
    round(1_000, { seconds: 3_600 });
    trial.add(200);
    pauses.push(round(1_000).failed?.pauseMs);
  };
  for (let i = 0; i < 7; i++) fail();
  assertEquals(pauses, [1, 2, 4, 8, 16, 30, 30].map((minutes) => minutes * 60_000));
  round(1_000, { seconds: 3_600 });
  trial.add(200);
  round(800);
  fail();
  assertEquals(pauses.at(-1), 60_000);
});

Deno.test("MoveTrial: begins anew with other nodes, whose order is no matter, and ends the pause", () => {
  const { trial, round } = twoNodes();
  round(1_000);
  trial.add(200);
  assertEquals(round(1_000, { nodes: ["b", "a"] }).isPaused, true);
  assertEquals(round(1_000, { nodes: ["a", "b", "c"] }).isPaused, false);
  trial.add(199);
  assertEquals(round(1_000, { nodes: ["a", "b", "c"] }).failed, undefined);
});

Deno.test("MoveTrial: what took longer than ten minutes is no measure", () => {
  const { trial, round } = twoNodes();
  round(1_000);
  trial.add(200);
  assertEquals(round(1_000, { seconds: 601 }).failed, undefined);
});

Deno.test("MoveTrial: a node with few connections is judged by three that were sent away", () => {
  const { trial, round } = twoNodes();
  round(5);
  trial.add(2);
  assertEquals(round(5).failed, undefined);
  trial.add(1);
  assertEquals(round(5).failed?.told, 3);
});
