import { assertEquals } from "@std/assert";
import { Limits, type Slot } from "../../src/gateway/limits.ts";

Deno.test("Limits: a slot is inUse before the look-up and given back once", () => {
  const limits = new Limits({ maxConnections: 2, maxConnectionsPerKey: 9, maxConnectionsPerIp: 0 });
  const first = limits.reserve("::1") as Slot;
  limits.reserve("::1");
  assertEquals(limits.reserve("::1"), "node");
  first.release();
  first.release();
  assertEquals(limits.inUse, 1);
  assertEquals(typeof limits.reserve("::1"), "object");
  assertEquals(limits.reserve("::1"), "node");
});

Deno.test("Limits: an address has a limit of its own", () => {
  const limits = new Limits({ maxConnections: 9, maxConnectionsPerKey: 9, maxConnectionsPerIp: 1 });
  const slot = limits.reserve("10.0.0.1") as Slot;
  assertEquals(limits.reserve("10.0.0.1"), "address");
  assertEquals(typeof limits.reserve("10.0.0.2"), "object");
  slot.release();
  assertEquals(typeof limits.reserve("10.0.0.1"), "object");
});

Deno.test("Limits: a key that is full takes no more, and forgets who is gone", () => {
  const limits = new Limits({ maxConnections: 9, maxConnectionsPerKey: 1, maxConnectionsPerIp: 0 });
  const [one, two] = [limits.reserve("a") as Slot, limits.reserve("a") as Slot];
  assertEquals([one.reserveKey("k"), two.reserveKey("k")], [true, false]);
  two.release(); // must not give back what it never had
  const three = limits.reserve("a") as Slot;
  assertEquals(three.reserveKey("k"), false);
  one.release();
  assertEquals(three.reserveKey("k"), true);
});
