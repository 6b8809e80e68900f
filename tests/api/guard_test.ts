import { assertEquals } from "@std/assert";
import { Hono } from "hono";
import { guard, type GuardOptions } from "../../src/api/guard.ts";

const [OLD, NEW] = ["o".repeat(32), "n".repeat(32)];

/** The status of a request to an API behind the guard. */
async function status(
  options: GuardOptions,
  headers: Record<string, string> = {},
): Promise<number> {
  const app = new Hono();
  app.use(guard(options));
  app.get("/api", (c) => c.text("in"));
  return (await app.request("/api", { headers: { Host: "gateway.example", ...headers } })).status;
}

Deno.test("guard: each token opens it, whatever the case of the scheme", async () => {
  const options = { tokens: [OLD, NEW], open: false };
  for (const Authorization of [`Bearer ${OLD}`, `bearer  ${NEW}`]) {
    assertEquals(await status(options, { Authorization }), 200);
  }
});

Deno.test("guard: a missing, wrong or longer token is 401", async () => {
  const options = { tokens: [OLD], open: false };
  assertEquals(await status(options), 401);
  for (const token of ["x", OLD.slice(1), `${OLD}o`, `Basic ${OLD}`]) {
    assertEquals(await status(options, { Authorization: `Bearer ${token}` }), 401, token);
  }
});

Deno.test("guard: without a token it is closed", async () => {
  assertEquals(await status({ tokens: [], open: false }, { Authorization: `Bearer ${OLD}` }), 403);
});

Deno.test("guard: an open one takes requests to loopback alone, whatever name points at it", async () => {
  const options = { tokens: [], open: true };
  for (const Host of ["localhost:8088", "127.0.0.1", "[::1]:8088", "LOCALHOST"]) {
    assertEquals(await status(options, { Host }), 200, Host);
  }
  for (const Host of ["localhost.evil.example", "evil.example:8088", "127.0.0.1.evil.example"]) {
    assertEquals(await status(options, { Host }), 403, Host);
  }
});
