import { assert, assertEquals } from "@std/assert";
import { items, openSocket } from "./services/clients.ts";
import { startKeywire } from "./services/gateway.ts";
import { startRedis } from "./services/redis.ts";

Deno.test("a client whose beat no node knows is told so at once, not at the next regular beat", async () => {
  await using redis = await startRedis();
  await using gateway = await startKeywire({ REDIS_URL: redis.url, HOST: "127.0.0.1" });
  const started = performance.now();
  using client = await openSocket(gateway.url, "demo", { v1: true, after: "0-0~nobody-1~0" });
  const [welcome] = await items(client.events, 1);
  assertEquals([welcome!.type, welcome!.recovered], ["welcome", false]);
  assert(performance.now() - started < 2_000);
});
