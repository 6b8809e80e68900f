import { assertEquals } from "@std/assert";
import { type AppOptions, createApp } from "../src/app.ts";
import { createOpsPage } from "../src/ops/ops_page.ts";
import { Hono } from "hono";
import { OpenAPIHono } from "@hono/zod-openapi";

const app = createApp(
  {
    api: new OpenAPIHono(),
    opsApi: new Hono(),
    opsPage: createOpsPage(),
    pageConfig: {},
  } as unknown as AppOptions,
);
const crossOrigin = async (path: string) => {
  const { status, headers } = await app.request(path);
  return [
    status,
    headers.get("Access-Control-Allow-Origin"),
    headers.get("Cross-Origin-Resource-Policy"),
  ];
};

Deno.test("createApp: the client may be imported by pages of any origin", async () => {
  for (const path of ["/keywire.js", "/keywire.d.ts"]) {
    assertEquals(await crossOrigin(path), [200, "*", "cross-origin"], path);
  }
});

Deno.test("createApp: the page and the node's state stay with their own origin", async () => {
  assertEquals(await crossOrigin("/"), [200, null, "same-origin"]);
  assertEquals((await crossOrigin("/health"))[1], null);
});

Deno.test("createApp: what is not there is a problem of one line", async () => {
  const response = await app.request("/nothing");
  assertEquals([response.status, (await response.json()).status], [404, 404]);
});
