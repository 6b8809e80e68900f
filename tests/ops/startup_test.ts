import { assertEquals } from "@std/assert";
import { isOpen } from "../../src/ops/startup.ts";
import { readSettings } from "../../src/settings/settings.ts";

const open = (env: Record<string, string>) => isOpen(readSettings((name) => env[name]));

Deno.test("isOpen: the API needs no token while all is embedded and only this machine reaches it", () => {
  assertEquals(open({}), true);
  assertEquals(open({ HOST: "localhost" }), true);
});

Deno.test("isOpen: a real part, another host or a token of its own closes it", () => {
  assertEquals(open({ REDIS_URL: "redis://localhost" }), false);
  assertEquals(open({ MONGODB_URL: "mongodb://localhost" }), false);
  assertEquals(open({ HOST: "0.0.0.0", DEMO: "1" }), false);
  assertEquals(open({ API_TOKEN: "x".repeat(32) }), false);
});
