import { assertEquals } from "@std/assert";
import { ConnectionFailures } from "../../src/redis/connection_failures.ts";
import { FAILURE_CLASSES, failureClass } from "../../src/redis/failure_class.ts";

Deno.test("ConnectionFailures: counts by connection and class, and not an end of its own", () => {
  const failures = new ConnectionFailures("reader", "commands");
  assertEquals(failures.counts.length, 2 * FAILURE_CLASSES.length);
  failures.add("reader", "ECONNREFUSED: the connection was refused");
  failures.add("reader", "closed");
  assertEquals(failures.counts.filter(({ count }) => count > 0), [
    { connection: "reader", reason: "unreachable", count: 1 },
  ]);
});

Deno.test("failureClass: a reason that no class knows is other, so that labels stay few", () => {
  const reasons = {
    "CLOSED: the master was replaced": "replaced",
    "CLOSED: the connection was closed": "closed",
    "no answer to the handshake": "timeout",
    "the subscription is silent: a probe did not come back in 3000 ms": "silent",
    "the reader trails the stream for more than 5000 ms": "silent",
    "SENTINEL: none answers (ECONNREFUSED)": "unreachable",
    "NOAUTH: Redis wants a password": "denied",
    "LOADING: Redis is loading its data": "loading",
    "WHATEVER a server may say": "other",
  };
  for (const [reason, expected] of Object.entries(reasons)) {
    assertEquals(failureClass(reason), expected, reason);
  }
});
