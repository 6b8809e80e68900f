import { assert, assertEquals } from "@std/assert";
import { Redis, type RedisOptions } from "ioredis";
import { redisFault } from "../../src/redis/redis_fault.ts";
import { freePort } from "../support/wait.ts";
import { startRedis } from "../support/redis.ts";

/** The fault of the first error that a connection meets, or that `ask` does. */
async function faultOf(
  options: RedisOptions,
  ask?: (redis: Redis) => Promise<unknown>,
) {
  const redis = new Redis({
    ...options,
    replyMapping: "legacy",
    retryStrategy: null,
    connectTimeout: 10_000,
  });
  try {
    if (ask === undefined) {
      return redisFault(await new Promise((resolve) => redis.on("error", resolve)));
    }
    redis.on("error", () => {});
    return redisFault(await ask(redis).then(() => undefined, (error: unknown) => error));
  } finally {
    redis.disconnect();
  }
}

Deno.test("redisFault: what Redis says no to was refused, and its code is named", async () => {
  await using redis = await startRedis();
  await redis.tell("CONFIG", "SET", "maxmemory", "1");
  const add = (redis: Redis) => redis.call("xadd", "sesame", "*", "message", "{}");
  const { port } = redis;
  assertEquals((await faultOf({ port }, add)).code, "OOM");
  await redis.tell("CONFIG", "SET", "maxmemory", "0", "min-replicas-to-write", "1");
  assertEquals((await faultOf({ port }, add)).code, "NOREPLICAS");
  await redis.tell("CONFIG", "SET", "min-replicas-to-write", "0");
  await redis.tell("SET", "sesame", "text");
  assertEquals((await faultOf({ port }, add)).code, "WRONGTYPE");
  await redis.tell("ACL", "SETUSER", "sesame", "on", "nopass", "~*", "+ping", "+info");
  const username = "sesame";
  const fault = await faultOf({ port, username, password: "x" }, add);
  assertEquals(fault.code, "NOPERM");
  assertEquals(fault.outcome, "refused");
  assert(!fault.reason.includes("sesame"), fault.reason);
  await redis.tell("ACL", "SETUSER", "sesame", "+eval");
  for (const call of ["'xadd', 'sesame', '*', 'a', 'b'", "'publish', 'sesame', 'x'"]) {
    const run = (redis: Redis) => redis.call("eval", `return redis.call(${call})`, "0");
    assertEquals((await faultOf({ port, username, password: "x" }, run)).code, "NOPERM", call);
    await redis.tell("ACL", "SETUSER", "sesame", "+publish");
  }
  const { code } = await faultOf({ port, username: "other", password: "wrong" });
  assertEquals(code, "WRONGPASS");
});

Deno.test("redisFault: a reply without a code is told in words, and quotes nothing that was sent", () => {
  const reasonOf = (message: string) => {
    const error = new Error(message);
    error.name = "ReplyError";
    return redisFault(error).reason;
  };
  const sesame = "with args beginning with: 'sesame' ";
  const told = {
    [`ERR unknown command 'xinfo', ${sesame}`]: "ERR: Redis does not know the command XINFO",
    [`ERR unknown command \`eval\`, ${sesame}`]: "ERR: Redis does not know the command EVAL",
    "ERR max number of clients reached": "ERR: Redis has reached its maxclients",
    "ERR DB index is out of range": "ERR: REDIS_URL names a database that Redis does not have",
    "ERR value of 'sesame' is not an integer": "ERR",
  };
  for (const [message, reason] of Object.entries(told)) assertEquals(reasonOf(message), reason);
  assert(reasonOf("MOVED 866 10.0.0.7:6379").startsWith("MOVED: "));
  assert(!reasonOf("MOVED 866 10.0.0.7:6379").includes("10.0.0.7"));
});

Deno.test("redisFault: what a script of Redis 6 met is told by its code", () => {
  const error = new Error(
    "ERR Error running script (call to f_1): @user_script:1: @user_script: 1: -OOM command not " +
      "allowed when used memory > 'maxmemory'.",
  );
  error.name = "ReplyError";
  assertEquals(redisFault(error).code, "OOM");
});

Deno.test("redisFault: a server that is not there, or not known, is named without its host", async () => {
  const port = freePort();
  const refused = await faultOf({ port });
  assertEquals(refused, {
    code: "ECONNREFUSED",
    outcome: "unknown",
    reason: "ECONNREFUSED: the connection was refused",
  });
  assertEquals(
    redisFault(new Error(`All sentinels are unreachable and retry is disabled.`)).code,
    "SENTINEL",
  );
  const behind = await faultOf({ sentinels: [{ host: "127.0.0.1", port }], name: "mymaster" });
  assertEquals(behind.outcome, "refused");
  assert(!behind.reason.includes("127.0.0.1"), behind.reason);
});

Deno.test("redisFault: a command without an answer in time may have been done", async () => {
  await using redis = await startRedis();
  const { port } = redis;
  const fault = await faultOf({ port, commandTimeout: 50 }, (client) =>
    client.ping().then(() => {
      redis.freeze();
      return client.ping();
    }));
  assertEquals([fault.code, fault.outcome], ["TIMEOUT", "unknown"]);
});
