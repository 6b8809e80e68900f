import { assert, assertEquals } from "@std/assert";
import type { PartReadiness, Readiness } from "../../src/ops/health.ts";
import { REFUSED } from "../../src/http/refusals.ts";
import { createNodeReport } from "../../src/ops/node_report.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { Node } from "../gateway/node.ts";

Deno.test("createNodeReport: tells for how long the node has been ready without a break, and how far it trails", async () => {
  await using node = new Node();
  using time = new FakeClock();
  let status: Readiness["status"] = "starting";
  let streamLagSeconds: number | undefined = undefined as number | undefined;
  const report = createNodeReport({
    gateway: node.gateway,
    bus: {
      unhealthyReason: undefined,
      get stats() {
        return { connectionFailures: [], probeSeconds: undefined, streamLagSeconds };
      },
    },
    health: { readiness: () => ({ status, bus: "up", store: "up", parts: {} }) },
    eventLoopDelay: { worstMs: 0 },
    settings: { maxConnections: 10 },
    version: "1.2.3",
  });
  const told = () => {
    const { readySeconds, lagMs } = report();
    return { readySeconds, lagMs };
  };
  assertEquals(told(), { readySeconds: undefined, lagMs: undefined });
  status = "ready";
  streamLagSeconds = 0.25;
  assertEquals(told(), { readySeconds: 0, lagMs: 250 });
  time.tick(11_500);
  assertEquals(told(), { readySeconds: 11, lagMs: 250 });
  status = "deaf";
  assertEquals(told().readySeconds, undefined);
  status = "ready";
  assertEquals(told().readySeconds, 0);
});

Deno.test("createNodeReport: its figures count what happened by reason, name the parts that are down, and are measured every 2.5 s", async () => {
  await using node = new Node();
  using time = new FakeClock();
  const since = "2026-01-01T00:00:00.000Z";
  const parts: Record<string, PartReadiness> = { channel: { status: "up", since } };
  const eventLoopDelay = { worstMs: 3.4 };
  const report = createNodeReport({
    gateway: node.gateway,
    bus: {
      unhealthyReason: undefined,
      stats: { connectionFailures: [], probeSeconds: 0.00123, streamLagSeconds: 0 },
    },
    health: { readiness: () => ({ status: "ready", bus: "up", store: "up", parts }) },
    eventLoopDelay,
    settings: { maxConnections: 10 },
    version: "1.2.3",
  });
  const { memoryBytes, ...figures } = report().figures!;
  assert(memoryBytes > 1e6, `${memoryBytes} bytes of memory`);
  assertEquals(figures, {
    status: "ready",
    partsDown: [],
    loopDelayMs: 3,
    slots: 0,
    slotsMax: 10,
    backlogBytes: 0,
    probeMs: 1.2,
    refused: {},
    dropped: {},
    closed: {},
    gaps: {},
  });
  await node.connect({ capacity: 0 });
  node.gateway.manager.refuse(REFUSED.unknownKey);
  node.gateway.router.message("", "not_utf8");
  parts.store = { status: "down", reason: "MongoDB does not answer", since };
  eventLoopDelay.worstMs = 120;
  const soon = report().figures!;
  assertEquals([soon.partsDown, soon.slots, soon.loopDelayMs], [["store"], 0, 3]);
  time.tick(2_500);
  const later = report().figures!;
  assertEquals([later.slots, later.loopDelayMs], [1, 120]);
  assertEquals([later.refused, later.dropped], [{ unknown_key: 1 }, { not_utf8: 1 }]);
  assert(later.backlogBytes > 0, "what waits for the client that takes nothing");
});
