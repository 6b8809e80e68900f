import { assert, assertEquals } from "@std/assert";
import { unitTests } from "./unit_tests.ts";

Deno.test("unitTests: finds what needs no server, and nothing that starts one by a detour", async () => {
  const found = await unitTests();
  assert(found.includes("tests/core/message_test.ts"));
  assert(found.includes("tests/house/house_test.ts"));
  const servers = ["tests/transports/events_test.ts", "tests/keystores/mongo_test.ts"];
  assertEquals(found.filter((path) => servers.includes(path)), []);
});
