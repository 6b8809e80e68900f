import { assertEquals, assertMatch } from "@std/assert";
import { MongoClient, ObjectId } from "mongodb";
import { launchChromium } from "../support/chromium.ts";
import { handshake, items, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { trustRegistry } from "../support/presence.ts";
import { startRedis } from "../support/redis.ts";
import { openBackend } from "../support/redis_client.ts";
import { waitFor } from "../support/wait.ts";

const KEY = "00721b2a-046c-4ecc-a5df-5f808cc6c58f";

Deno.test("A PUBLISH in Redis reaches the browser whose key MongoDB knows", async (t) => {
  await using redis = await startRedis();
  await trustRegistry(redis);
  await using mongodb = await startMongodb();
  await using client = new MongoClient(mongodb.url);
  const database = `path${crypto.randomUUID().slice(0, 8)}`;
  const object = new ObjectId();
  await client.db(database).collection<{ _id: unknown; who?: string[] }>("myCollection").insertMany(
    [
      { _id: KEY },
      { _id: "session", who: ["user:42", "team:7"] },
      { _id: object },
    ],
  );
  const env = { REDIS_URL: redis.url, MONGODB_URL: mongodb.url, MONGODB_DATABASE: database };
  await using gateway = await startKeywire(env);
  await using backend = await openBackend(redis.url, { channels: ["connected", "disconnected"] });

  await t.step("the example's message arrives in Chromium without its recipients", async () => {
    await using chromium = await launchChromium();
    const { page } = await chromium.open();
    await page.goto(`${gateway.url}/`);
    const heard = page.evaluate((url) =>
      new Promise<string>((resolve) => {
        const socket = new WebSocket(url);
        socket.onmessage = ({ data }) => resolve(data);
      }), `${gateway.url.replace("http", "ws")}/websocket?${KEY}`);
    await waitFor("the notice", () => backend.heard.includes(`connected ${KEY}`));
    await backend.redis.publish(
      "my_channel",
      `{"recipients":["${KEY}"],"data":{"entry":{"id":"123","comments":0,"tags":0}}}`,
    );
    assertEquals(await heard, '{"data":{"entry":{"id":"123","comments":0,"tags":0}}}');
    await page.close();
    await waitFor("the notice", () => backend.heard.includes(`disconnected ${KEY}`));
    assertEquals(backend.heard, [`connected ${KEY}`, `disconnected ${KEY}`]);
  });

  await t.step("an unknown key is refused with 403, before anything is upgraded", async () => {
    const { status, text } = await handshake(gateway.port, "/websocket?unknown");
    assertEquals(status, 403);
    assertMatch(text, /"detail":"Cannot connect as the key is not known/);
  });

  await t.step("an ObjectId is a key, in lower-case hex", async () => {
    using socket = await openSocket(gateway.url, object.toHexString());
    await backend.redis.publish("my_channel", `{"recipients":["${object.toHexString()}"],"n":1}`);
    assertEquals(await items(socket.frames, 1), ['{"n":1}']);
  });

  await t.step("an entry of the stream arrives as well, and has a cursor", async () => {
    using socket = await openSocket(gateway.url, KEY, { v1: true });
    const id = await backend.redis.xadd(
      "my_stream",
      "*",
      "message",
      `{"recipients":["${KEY}"],"n":2}`,
    );
    const events = await items(socket.events, 2);
    assertEquals(events[1]!.message, { n: 2 });
    assertEquals(String(events[1]!.cursor).split("~")[0], id);
  });

  await t.step(
    "with a recipient field, a message for two names of a session arrives once",
    async () => {
      await using named = await startKeywire({ ...env, MONGODB_RECIPIENT_FIELD: "who" });
      using socket = await openSocket(named.url, "session");
      for (
        const envelope of [
          '{"recipients":["user:42","team:7","session"],"n":1}',
          '{"recipients":["session"],"n":2}',
          '{"n":3,"recipients":["team:7"]}',
          '{"recipients":"*","n":4}',
        ]
      ) await backend.redis.publish("my_channel", envelope);
      assertEquals(await items(socket.frames, 3), ['{"n":1}', '{"n":3}', '{"n":4}']);
      const notices = await waitFor("the notices", () => {
        const mine = backend.heard.filter((notice) => /user:42|team:7/.test(notice));
        return mine.length >= 2 && mine;
      });
      assertEquals(notices, ["connected user:42", "connected team:7"]);
      // The document that has no such field names no recipient.
      assertEquals((await handshake(named.port, `/websocket?${KEY}`)).status, 403);
    },
  );
});
