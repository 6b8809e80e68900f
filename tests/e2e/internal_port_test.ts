import { assertEquals, assertStringIncludes } from "@std/assert";
import { items, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { freePort } from "../support/wait.ts";

/** What backends and operators ask for. */
const INTERNAL = ["/ready", "/metrics", "/openapi.json", "/ops", "/ops/ops.js"];

Deno.test("INTERNAL_PORT serves what is for backends and operators, and the public port does not", async () => {
  const port = freePort();
  const env = { INTERNAL_PORT: `${port}`, EMBEDDED_KEYS: "demo", HOST: "127.0.0.1" };
  await using gateway = await startKeywire(env);
  const internal = `http://127.0.0.1:${port}`;
  using client = await openSocket(gateway.url, "demo");

  const status = async (url: string, body?: string) => {
    const response = await fetch(
      url,
      body === undefined
        ? {}
        : { method: "POST", headers: { "Content-Type": "application/json" }, body },
    );
    await response.body?.cancel();
    return response.status;
  };
  for (const path of INTERNAL) {
    assertEquals([path, await status(gateway.url + path)], [path, 404]);
    assertEquals([path, await status(internal + path)], [path, 200]);
  }
  const envelope = '{"recipients":["demo"],"n":1}';
  assertEquals(await status(`${gateway.url}/api/publish`, envelope), 404);
  assertEquals(await status(`${internal}/api/publish`, envelope), 202);
  assertEquals(await items(client.frames, 1), ['{"n":1}']);

  assertEquals(await status(`${gateway.url}/health`), 200);
  assertEquals(await status(`${internal}/health`), 200);
  assertEquals(await status(`${internal}/websocket?demo`), 404);
  assertEquals(await status(`${internal}/`), 404);
  const metrics = await (await fetch(`${internal}/metrics`)).text();
  assertStringIncludes(metrics, "\nkeywire_connections 1\n");
});
