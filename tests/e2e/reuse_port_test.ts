import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { becomes } from "../support/becomes.ts";
import { items, openSocket, type SocketClient } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { freePort, waitFor } from "../support/wait.ts";

const CLIENTS = 60;

/** Runs the start task's command, changed, to its end, and returns what it said on stderr. */
async function refusal(env: Record<string, string>, without = ""): Promise<string> {
  const args = config.tasks.start.command.split(" ").slice(1).filter((arg) => arg !== without);
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: new URL("../..", import.meta.url).pathname,
    env,
  }).output();
  assertEquals(code, 1);
  return new TextDecoder().decode(stderr);
}

Deno.test("REUSE_PORT: two processes share a port, its clients, and what everyone is sent", async () => {
  await using redis = await startRedis();
  const shared = {
    PORT: `${freePort()}`,
    REUSE_PORT: "1",
    REDIS_URL: redis.url,
    API_TOKEN: "t".repeat(32),
  };
  await using one = await startKeywire({ ...shared, INTERNAL_PORT: `${freePort()}` });
  await using two = await startKeywire({ ...shared, INTERNAL_PORT: `${freePort()}` });
  const clients: SocketClient[] = [];
  try {
    for (let n = 0; n < CLIENTS; n++) clients.push(await openSocket(one.url, "demo", { v1: true }));
    const count = async (node: typeof one) =>
      (await node.metrics()).get("keywire_connections") ?? NaN;
    await becomes(async () => await count(one) + await count(two), CLIENTS);
    const [first, second] = [await count(one), await count(two)];
    assert(Math.min(first, second) > CLIENTS / 6, `${first} and ${second} clients`);

    await redis.tell("PUBLISH", "my_channel", '{"recipients":"*","n":1}');
    for (const { events } of clients) assertEquals((await items(events, 2))[1]!.type, "message");

    // The port tells processes at one address apart.
    const nodes = await waitFor("both to know each other", async () => {
      const response = await fetch(`${one.internalUrl}/api/nodes`, {
        headers: { Authorization: `Bearer ${shared.API_TOKEN}` },
      });
      const { nodes } = await response.json() as { nodes: { address: string }[] };
      return nodes.length === 2 ? nodes : undefined;
    });
    const ports = [one, two].map(({ internalUrl }) => new URL(internalUrl).port).sort();
    assertEquals(nodes.map(({ address }) => address.split(":").at(-1)!).sort(), ports);

    two.kill("SIGTERM");
    assertEquals((await two.ended).code, 0);
    for (let n = 0; n < 10; n++) clients.push(await openSocket(one.url, "demo"));
    await becomes(() => count(one), first + 10);
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
});

Deno.test("REUSE_PORT: without the flag, or on a port of its own that is taken, the start says what to do", async () => {
  await using redis = await startRedis();
  const shared = { PORT: `${freePort()}`, REUSE_PORT: "1", REDIS_URL: redis.url };
  await using one = await startKeywire({ ...shared, INTERNAL_PORT: `${freePort()}` });
  const { port: taken } = new URL(one.internalUrl);
  const inUse = await refusal({ ...shared, INTERNAL_PORT: taken });
  assertStringIncludes(inUse, `Cannot listen on 127.0.0.1:${taken}`);
  assertStringIncludes(inUse, "set INTERNAL_PORT to a free one");
  const alone = await refusal({ PORT: taken });
  assertStringIncludes(alone, `Cannot listen on 127.0.0.1:${taken}`);
  assertStringIncludes(alone, "stop what uses the port, or set PORT to a free one");
  const unstable = await refusal({ ...shared, INTERNAL_PORT: `${freePort()}` }, "--unstable-net");
  assertStringIncludes(unstable, "REUSE_PORT is 1, so Deno must run with --unstable-net");
});
