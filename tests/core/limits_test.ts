import { assertEquals } from "@std/assert";
import { Limits, type Place } from "../../src/core/limits.ts";

Deno.test("Limits: a place is taken before the look-up and given back once", () => {
  const limits = new Limits({ maxConnections: 2, maxConnectionsPerKey: 9, maxConnectionsPerIp: 0 });
  const first = limits.reserve("::1") as Place;
  limits.reserve("::1");
  assertEquals(limits.reserve("::1"), "node");
  first.release();
  first.release();
  assertEquals(limits.taken, 1);
  assertEquals(typeof limits.reserve("::1"), "object");
  assertEquals(limits.reserve("::1"), "node");
});

Deno.test("Limits: an address has a limit of its own", () => {
  const limits = new Limits({ maxConnections: 9, maxConnectionsPerKey: 9, maxConnectionsPerIp: 1 });
  const place = limits.reserve("10.0.0.1") as Place;
  assertEquals(limits.reserve("10.0.0.1"), "address");
  assertEquals(typeof limits.reserve("10.0.0.2"), "object");
  place.release();
  assertEquals(typeof limits.reserve("10.0.0.1"), "object");
});

Deno.test("Limits: a key that is full takes no more, and forgets who is gone", () => {
  const limits = new Limits({ maxConnections: 9, maxConnectionsPerKey: 1, maxConnectionsPerIp: 0 });
  const [one, two] = [limits.reserve("a") as Place, limits.reserve("a") as Place];
  assertEquals([one.takeKey("k"), two.takeKey("k")], [true, false]);
  two.release(); // must not give back what it never had
  const three = limits.reserve("a") as Place;
  assertEquals(three.takeKey("k"), false);
  one.release();
  assertEquals(three.takeKey("k"), true);
});
