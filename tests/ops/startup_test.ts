import { assert, assertEquals } from "@std/assert";
import { isOpen, logStartup } from "../../src/ops/startup.ts";
import { pageConfig } from "../../src/app.ts";
import { KEY_STORES, readSettings } from "../../src/settings/settings.ts";
import { Logged } from "../support/logged.ts";

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

Deno.test("KEY_STORES: each makes a node of production: no demo key, no open API, every host", () => {
  const stores: Record<keyof typeof KEY_STORES, string> = {
    mongodbUrl: "mongodb://mongo",
  };
  for (const [field, value] of Object.entries(stores)) {
    const name = KEY_STORES[field as keyof typeof KEY_STORES];
    const settings = readSettings((variable) => variable === name ? value : undefined);
    const { demoKey } = pageConfig(settings, { isOpen: isOpen(settings), host: "localhost" });
    assertEquals([isOpen(settings), demoKey], [false, null], name);
    const env: Record<string, string> = { [name]: value, REDIS_URL: "redis://redis" };
    assertEquals(readSettings((variable) => env[variable]).host, "0.0.0.0", name);
  }
});

Deno.test("logStartup: says what is embedded, and every setting that changes it", async () => {
  await using logged = await Logged.start();
  logStartup(readSettings(() => undefined), "1.2.3");
  const line = logged.lines("info").find((text) => text.startsWith("Embedded: "));
  assert(line);
  for (const name of ["REDIS_URL", ...Object.values(KEY_STORES)]) assert(line.includes(name), line);
});
