import { assertEquals } from "@std/assert";
import type { NodeStatus } from "../../src/presence/port.ts";
import { readNodeStatus } from "../../src/presence/node_status.ts";

const NODE: NodeStatus = {
  address: "10.0.0.7:8088",
  version: "1.0.0",
  since: 1_764_000_000_000,
  connections: 3,
  readySeconds: 9,
  messagesPerSecond: 0.5,
  deliveriesPerSecond: 0,
  lagMs: 0,
  trouble: "channel: no answer",
  isDraining: true,
  figures: {
    status: "deaf",
    partsDown: ["channel"],
    loopDelayMs: 4,
    memoryBytes: 1e8,
    slots: 3,
    slotsMax: 100_000,
    backlogBytes: 0,
    probeMs: 0.7,
    refused: { unknown_key: 1 },
    dropped: {},
    closed: { "1001": 2 },
    gaps: {},
  },
};

Deno.test("readNodeStatus: takes what a node says", () => {
  assertEquals(readNodeStatus({ ...NODE, was: ["before"], more: 1 }), NODE);
});

Deno.test("readNodeStatus: is undefined where it is that of no node", () => {
  for (const data of [{}, { ...NODE, version: 1 }, { ...NODE, address: "x".repeat(1_001) }]) {
    assertEquals(readNodeStatus(data), undefined);
  }
  for (const since of [undefined, null, "now", NaN, -1, 1e20]) {
    assertEquals(readNodeStatus({ ...NODE, since }), undefined, `since ${since}`);
  }
  for (const connections of [undefined, null, "7", 0.5, Infinity, 1e308]) {
    assertEquals(readNodeStatus({ ...NODE, connections }), undefined, `connections ${connections}`);
  }
});

Deno.test("readNodeStatus: leaves out what makes no sense", () => {
  const { address, version, since, connections, figures } = NODE;
  const least = { address, version, since, connections };
  const odd = { lagMs: null, readySeconds: "1e9", messagesPerSecond: -1, trouble: {} };
  assertEquals(readNodeStatus({ ...least, ...odd, isDraining: "yes" }), least);
  const wrong = [
    ...[null, 7, [], {}, { ...figures, status: "<b>" }, { ...figures, partsDown: "channel" }],
    ...[{ ...figures, slots: "3" }, { ...figures, refused: [1, "2"] }, { ...figures, gaps: null }],
    { ...figures, probeMs: null },
  ];
  for (const each of wrong) assertEquals(readNodeStatus({ ...least, figures: each }), least);
});
