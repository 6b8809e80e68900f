import { assertEquals } from "@std/assert";
import { Health } from "../../src/ops/health.ts";

/** A node's health, and what it is made of. */
function underTest() {
  const bus = {
    unhealthyReason: "no connection yet" as string | undefined,
    parts: [{ name: "channel", reason: "a probe did not come back", since: 0 }],
    failures: { publishes: new Map(), notices: new Map() },
  };
  const store = {
    status: "up" as "up" | "down",
    part: { name: "store", reason: undefined, since: 1_000 },
  };
  const node = { isDraining: false };
  const health = new Health(bus, store, node);
  return { bus, store, node, status: () => health.readiness().status, health };
}

Deno.test("Health: a node starts until its bus is heard, and is deaf when that is lost again", () => {
  const { bus, status } = underTest();
  assertEquals(status(), "starting");
  bus.unhealthyReason = undefined;
  assertEquals(status(), "ready");
  bus.unhealthyReason = "the subscription is silent";
  assertEquals(status(), "deaf");
});

Deno.test("Health: a node that drains says so, whatever else is the matter", () => {
  const { bus, node, status } = underTest();
  node.isDraining = true;
  assertEquals(status(), "draining");
  bus.unhealthyReason = undefined;
  assertEquals(status(), "draining");
});

Deno.test("Health: a store that is down takes no node out of the balancer", () => {
  const { bus, store, health } = underTest();
  bus.unhealthyReason = undefined;
  store.status = "down";
  const { status, store: shown } = health.readiness();
  assertEquals([status, shown], ["ready", "down"]);
});

Deno.test("Health: each part is told by its name, with its reason and since when", () => {
  assertEquals(underTest().health.readiness().parts, {
    channel: {
      status: "down",
      reason: "a probe did not come back",
      since: "1970-01-01T00:00:00.000Z",
    },
    store: { status: "up", since: "1970-01-01T00:00:01.000Z" },
  });
});
