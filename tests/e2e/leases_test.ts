/** A real Redis that holds what no node wrote. */
import { assertEquals } from "@std/assert";
import { startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";

const HONEST = { address: "10.0.0.7:8088", version: "1.0.0", since: 1_764_000_000_000 };

Deno.test("A lease that makes no sense spoils neither the view of all nodes nor a publish", async () => {
  await using redis = await startRedis();
  const token = "t".repeat(32);
  await using gateway = await startKeywire({ REDIS_URL: redis.url, API_TOKEN: token });
  const call = async (path: string, body?: string) => {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const init = body === undefined ? { headers } : { headers, method: "POST", body };
    const response = await fetch(`${gateway.url}/api/${path}`, init);
    return { status: response.status, json: await response.json() };
  };
  const liars = ["", "nonsense", `${Date.now()} []`, `${Date.now()} {"connections":"7"}`];
  const fields = liars.flatMap((lease, at) => [`liar-${at}`, lease]);
  await redis.tell(
    "HSET",
    "keywire:{nodes}",
    ...fields,
    "honest-0",
    `${Date.now()} ${JSON.stringify({ ...HONEST, connections: 3 })}`,
  );
  await waitFor("the leases to be read", async () => {
    const { status, json } = await call("nodes");
    assertEquals(status, 200, JSON.stringify(json));
    return json.nodes.length === 2;
  });
  assertEquals((await call("publish", '{"recipients":"*"}')).json.online, 3);
});
