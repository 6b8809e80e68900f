/** Presence over two gateways in processes of their own, with the times that users have. */
import { assert, assertEquals } from "@std/assert";
import { openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { trustRegistry } from "../support/presence.ts";
import { openBackend } from "../support/redis_client.ts";
import { startRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";

const TOKEN = "t".repeat(32);
/** A node that dies without a word is reaped within 15 s; the rest is for a machine that is busy. */
const REAPED_MS = 20_000;

Deno.test("Two gateways tell the truth about who is there, whichever has the tab, and if one dies", async () => {
  await using redis = await startRedis();
  await trustRegistry(redis);
  await using backend = await openBackend(redis.url, { channels: ["connected", "disconnected"] });
  const rule = await leastRedisRule();
  await backend.redis.call("ACL", "SETUSER", "keywire", "on", ">password", ...rule);
  const env = {
    REDIS_URL: redis.url.replace("//", "//keywire:password@"),
    EMBEDDED_KEYS: "ann,bob",
    API_TOKEN: TOKEN,
  };
  await using one = await startKeywire(env);
  await using two = await startKeywire(env);

  using first = await openSocket(one.url, "ann");
  await waitFor("the notice", () => backend.heard.length === 1);
  const second = await openSocket(two.url, "ann");
  using third = await openSocket(two.url, "bob");
  await waitFor("the notice", () => backend.heard.length === 2);
  const publish = async (recipients: readonly string[] | "*") => {
    const response = await fetch(`${one.url}/api/publish`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify({ recipients }),
    });
    const { online, offline } = await response.json();
    return { status: response.status, online, offline };
  };
  // Every node knows that bob is there; how many connections there are is known from renewal to renewal.
  assertEquals(await publish(["bob", "cyd"]), { status: 202, online: 1, offline: ["cyd"] });
  await waitFor("the connections of both", async () => (await publish("*")).online === 3);

  second.socket.close();
  await second.closed;
  assertEquals(backend.heard, ["connected ann", "connected bob"]);

  const killedAt = performance.now();
  two.kill();
  await waitFor("the notice", () => backend.heard.length === 3, REAPED_MS);
  assertEquals(backend.heard[2], "disconnected bob");
  assert(performance.now() - killedAt < REAPED_MS);
  await third.closed;
  assertEquals(await publish(["bob", "ann"]), { status: 202, online: 1, offline: ["bob"] });
  first.socket.close();
  await waitFor("the notice", () => backend.heard.length === 4);
  assertEquals(backend.heard[3], "disconnected ann");
  assert(!/NOPERM|refuse/.test(one.log), one.log);
});

/** What SECURITY.md says that Redis must permit. */
async function leastRedisRule(): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("../../SECURITY.md", import.meta.url));
  const rule = /ACL SETUSER keywire on '>password' ([^`]+?)\s*```/.exec(text)?.[1] ?? "";
  return rule.replaceAll("\\\n", " ").replaceAll("'", "").trim().split(/\s+/);
}
