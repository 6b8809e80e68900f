import { assert, assertEquals, assertMatch } from "@std/assert";
import { startKeywire } from "../support/gateway.ts";
import { readManifests } from "../support/kubernetes.ts";
import { startRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";

interface Service {
  readonly command?: string[];
  readonly environment?: Record<string, string | number | null>;
  readonly ports?: string[];
  readonly healthcheck?: { readonly test: string[] };
  readonly [option: string]: unknown;
}

const { pathname: PATH } = new URL("../../compose.yaml", import.meta.url);
const [COMPOSE] = await readManifests(PATH, []);
const { gateway, redis, mongo } = COMPOSE!.services as Record<string, Service>;

/** The text with the default of each variable, as Compose puts it there. */
function withDefaults(text: unknown): string {
  return String(text).replace(/\$\{\w+:-([^}]*)\}/g, "$1");
}

Deno.test("compose.yaml: its Redis wants the password that its gateway gives", async () => {
  const [, ...args] = redis!.command!.map(withDefaults);
  await using server = await startRedis({ args });
  assertMatch(await server.tell("PING"), /^-NOAUTH/);
  const url = withDefaults(gateway!.environment!.REDIS_URL);
  const REDIS_URL = url.replace("@redis:6379", `@127.0.0.1:${server.port}`);
  await using node = await startKeywire({ REDIS_URL }); // which waits for /ready
  await waitFor("the log", () => node.log.includes("serves"));
  const [, check] = redis!.healthcheck!.test;
  const { success } = await new Deno.Command("sh", {
    args: ["-c", check!.replace("redis-cli", `redis-cli -p ${server.port}`)],
    env: { REDISCLI_AUTH: withDefaults(redis!.environment!.REDISCLI_AUTH) },
  }).output();
  assert(success, "its health check fails");
});

Deno.test("compose.yaml: its MongoDB makes the user that its gateway is", () => {
  const url = new URL(withDefaults(gateway!.environment!.MONGODB_URL));
  assertEquals(url.password, withDefaults(mongo!.environment!.KEYWIRE_PASSWORD));
  const { demo_keys } = COMPOSE!.configs as Record<string, { content: string }>;
  const user = `createUser({ user: "${url.username}", pwd: process.env.KEYWIRE_PASSWORD`;
  assert(demo_keys!.content.includes(user));
  assertEquals(url.pathname, "/myDB"); // where the user is made
});

Deno.test("compose.yaml: the gateway has descriptors, time to drain, and no right that it does not need", () => {
  const { nofile } = gateway!.ulimits as { nofile: number };
  assert(nofile >= Number(gateway!.environment!.MAX_CONNECTIONS) + 256);
  assert(parseInt(String(gateway!.stop_grace_period)) >= 4 + 5); // DRAIN_SECONDS, and some
  assertEquals(gateway!.read_only, true);
  assertEquals(gateway!.cap_drop, ["ALL"]);
  assertEquals(gateway!.security_opt, ["no-new-privileges:true"]);
});

Deno.test("compose.yaml: only the gateway is published, and to this machine alone", () => {
  assertEquals([redis!.ports, mongo!.ports], [undefined, undefined]);
  for (const port of gateway!.ports!) assert(port.startsWith("127.0.0.1:"), port);
});
