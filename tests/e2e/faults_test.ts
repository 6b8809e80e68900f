import { assert, assertEquals } from "@std/assert";
import { MongoClient } from "mongodb";
import { handshake, items, openSocket, type SocketClient } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { Proxy } from "../support/proxy.ts";
import { RedisServer, startRedis } from "../support/redis.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";

/** How much later a busy machine may refuse; without a bound on look-ups it takes 11 s and more. */
const BUSY_MS = 5_000;

/** The text of a message that no other test sends. */
let serial = 0;

/** Publishes until `socket` has heard one of the messages: the subscription is back. */
async function untilHeard(redis: RedisServer, socket: SocketClient): Promise<void> {
  const mine = ++serial;
  await waitFor("a message to arrive", async () => {
    await redis.tell("PUBLISH", "my_channel", `{"recipients":["demo"],"mine":${mine}}`);
    return socket.frames.includes(`{"mine":${mine}}`);
  }, 20_000);
}

together("A fault of Redis leaves the sockets open, and the subscription comes back by itself", {
  "when Redis is away at the start, which says what it waits for": async () => {
    const redis = new RedisServer();
    await using gateway = await startKeywire({ REDIS_URL: redis.url }, { ready: false });
    using socket = await openSocket(gateway.url, "demo");
    const ready = await fetch(`${gateway.url}/ready`);
    assertEquals([ready.status, (await ready.json()).status], [503, "starting"]);
    await waitFor("the log", () => gateway.log.includes(`127.0.0.1:${redis.port}`));
    await redis.start();
    await using _ = redis;
    await untilHeard(redis, socket);
    await waitFor("the node to be ready", async () => {
      const response = await fetch(`${gateway.url}/ready`);
      await response.body?.cancel();
      return response.ok;
    });
  },
  "when Redis is killed and started again": async () => {
    await using redis = await startRedis();
    await using gateway = await startKeywire({ REDIS_URL: redis.url });
    using socket = await openSocket(gateway.url, "demo");
    await untilHeard(redis, socket);
    await redis.kill();
    await waitFor("the node to say that it is deaf", async () => {
      const response = await fetch(`${gateway.url}/ready`);
      return response.status === 503 && (await response.json()).status === "deaf";
    });
    await redis.start();
    await untilHeard(redis, socket);
    assertEquals(socket.socket.readyState, WebSocket.OPEN);
  },
  "when Redis is frozen": async () => {
    await using redis = await startRedis();
    await using gateway = await startKeywire({ REDIS_URL: redis.url });
    using socket = await openSocket(gateway.url, "demo");
    redis.freeze();
    await waitFor("the node to say that it is deaf", async () => {
      const response = await fetch(`${gateway.url}/ready`);
      return response.status === 503 && (await response.json()).status === "deaf";
    });
    redis.thaw();
    await untilHeard(redis, socket);
    assertEquals(socket.socket.readyState, WebSocket.OPEN);
  },
  "when the connection is cut again and again while it resubscribes": async () => {
    await using redis = await startRedis();
    await using proxy = new Proxy(redis.port);
    await using gateway = await startKeywire({ REDIS_URL: `redis://127.0.0.1:${proxy.port}` });
    using socket = await openSocket(gateway.url, "demo", { v1: true });
    for (let i = 0; i < 5; i++) {
      proxy.cut();
      await new Promise((resolve) => setTimeout(resolve, 20 * i));
    }
    await waitFor("a message to arrive behind a gap", async () => {
      await redis.tell("PUBLISH", "my_channel", '{"recipients":["demo"]}');
      const types = socket.events.map(({ type }) => type);
      return types.includes("gap") && types.indexOf("gap") < types.lastIndexOf("message");
    }, 20_000);
  },
});

together("A fault of MongoDB refuses with 503 in time, and passes", {
  "when it is away at the start, and comes": async () => {
    await using mongodb = await startMongodb();
    await insert(mongodb.url, "faults1");
    await mongodb.kill();
    const env = {
      MONGODB_URL: mongodb.url,
      MONGODB_DATABASE: "faults1",
      MONGODB_TIMEOUT_MS: "700",
    };
    await using gateway = await startKeywire(env);
    await refusedInTime(gateway.port);
    const ready = await fetch(`${gateway.url}/ready`);
    assertEquals([ready.status, (await ready.json()).store], [200, "down"]);
    await mongodb.start();
    await admitted(gateway.port);
  },
  "when it hangs, and is killed, while others stay connected": async () => {
    await using mongodb = await startMongodb();
    await insert(mongodb.url, "faults2");
    const env = {
      MONGODB_URL: mongodb.url,
      MONGODB_DATABASE: "faults2",
      MONGODB_TIMEOUT_MS: "700",
    };
    await using gateway = await startKeywire(env);
    using socket = await openSocket(gateway.url, "known");
    await mongodb.freeze();
    await refusedInTime(gateway.port);
    await mongodb.thaw();
    await admitted(gateway.port);
    await mongodb.kill();
    await refusedInTime(gateway.port);
    await mongodb.start();
    await admitted(gateway.port);
    socket.socket.send("ping");
    assertEquals(await items(socket.frames, 1), ["heartbeat message"]);
  },
});

async function insert(url: string, database: string): Promise<void> {
  await using client = new MongoClient(url);
  const keys = client.db(database).collection<{ _id: string }>("myCollection");
  await keys.updateOne({ _id: "known" }, { $set: { known: true } }, { upsert: true });
}

async function refusedInTime(port: number): Promise<void> {
  const start = performance.now();
  const { status, text } = await handshake(port, "/websocket?known");
  assertEquals(status, 503, text);
  assert(/retry-after: \d/i.test(text));
  const ms = performance.now() - start;
  assert(ms < 700 + BUSY_MS, `it took ${ms} ms`);
}

async function admitted(port: number): Promise<void> {
  await waitFor("the key to be admitted again", async () => {
    return (await handshake(port, "/websocket?known")).status === 101;
  }, 20_000);
}
