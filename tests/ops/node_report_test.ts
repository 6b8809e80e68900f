import { assertEquals } from "@std/assert";
import type { Readiness } from "../../src/ops/health.ts";
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
