/** The key of a client appears nowhere but in the client's own requests. */
import { assert, assertEquals } from "@std/assert";
import { MongoClient } from "mongodb";
import { handshake, items, openEvents, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { trustRegistry } from "../support/presence.ts";
import { startRedis } from "../support/redis.ts";
import { openBackend } from "../support/redis_client.ts";
import { waitFor } from "../support/wait.ts";

const TOKEN = "the-token-of-the-backend-of-the-tests";
const KEYS = ["s3cret+key/of=ann", "s3cret-bob-key", "s3cret unknown"];

/** Every spelling in which a key could show. */
const SPELLINGS = [
  "s3cret",
  ...KEYS.flatMap((key) => [key, encodeURIComponent(key), btoa(key), btoa(key).replace(/=+$/, "")]),
  TOKEN,
];

Deno.test("A key appears nowhere, whatever its client does, at level debug", async () => {
  await using redis = await startRedis();
  await trustRegistry(redis); // else it decides about notices after one lease
  await using mongodb = await startMongodb();
  await using client = new MongoClient(mongodb.url);
  const database = `secrets${crypto.randomUUID().slice(0, 8)}`;
  const documents = client.db(database).collection<{ _id: string; who: unknown }>("myCollection");
  await documents.insertMany([
    { _id: KEYS[0]!, who: "ann" },
    { _id: KEYS[1]!, who: "bob" },
    { _id: `${KEYS[1]!} malformed`, who: 1.5 },
  ]);
  await using gateway = await startKeywire({
    REDIS_URL: redis.url,
    MONGODB_URL: mongodb.url,
    MONGODB_DATABASE: database,
    MONGODB_RECIPIENT_FIELD: "who",
    REVALIDATE_SECONDS: "1",
    MAX_CONNECTIONS_PER_KEY: "2",
    API_TOKEN: TOKEN,
    LOG_LEVEL: "debug",
  });
  const [ann, bob, unknown] = KEYS as [string, string, string];
  const channels = ["connected", "disconnected", "my_channel", "{keywire}:control"];
  await using backend = await openBackend(redis.url, { channels });
  const seen: string[] = [];
  const call = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${gateway.url}${path}`, init);
    seen.push([...response.headers].join("\n"), await response.text());
    return response.status;
  };
  const post = (path: string, body: string, type = "application/json") =>
    call(`/api/${path}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": type },
      body,
    });

  // It connects in every way, is published to, and misbehaves.
  const socket = await openSocket(gateway.url, ann, { v1: true });
  const events = await openEvents(gateway.url, bob);
  using second = await openSocket(gateway.url, ann);
  await post("publish", '{"recipients":["ann","bob"],"n":1}');
  await items(socket.frames, 2);
  await items(events.messages, 1);
  const connected = () =>
    backend.heard.includes("connected ann") && backend.heard.includes("connected bob");
  await waitFor("the notices", connected, 40_000);
  for (let at = 0; at < 50; at++) socket.socket.send(`nonsense ${at}`);
  seen.push((await handshake(gateway.port, `/websocket?${encodeURIComponent(ann)}`)).text); // 429
  for (const key of [unknown, `${bob} malformed`, `${bob}\u0000`]) {
    const query = encodeURIComponent(key);
    for (const path of [`/websocket?${query}`, `/events?key=${query}`, `/websocket?key=${query}`]) {
      seen.push((await handshake(gateway.port, path)).text);
      await call(path);
      await call(path, { headers: { "X-Socket-Transport": "xhrPolling" } });
    }
    seen.push(
      (await handshake(gateway.port, "/websocket", {
        "Sec-WebSocket-Protocol": `key.${btoa(key).replace(/=+$/, "")}, keywire.v1`,
      })).text,
    );
  }
  await call(`/${encodeURIComponent(unknown)}`);
  // Envelopes and orders that are malformed around it.
  await redis.tell("PUBLISH", "my_channel", `{"recipients":["ann"],}`);
  await post("disconnect", JSON.stringify({ keys: [ann, 1] }));
  await post("disconnect", JSON.stringify({ keys: [`${ann}\u0000`] }));
  await post("presence", JSON.stringify({ recipients: ["ann"], keys: [ann] }));
  assertEquals(await call("/api/cursor", { headers: { Authorization: `Bearer ${TOKEN}x` } }), 401);
  // It is revoked, by an order and by its document.
  assertEquals(await post("disconnect", JSON.stringify({ keys: [ann] })), 202);
  assertEquals((await socket.closed).code, 4403);
  await documents.deleteOne({ _id: bob });
  await events.ended;
  await waitFor("the notice", () => backend.heard.includes("disconnected bob"), 40_000);

  await call("/ready");
  await call("/openapi.json");
  for (const path of ["cursor", "nodes"]) {
    await call(`/api/${path}`, { headers: { Authorization: `Bearer ${TOKEN}` } });
  }
  await call("/metrics");
  const values: string[] = [];
  for (const key of await backend.redis.keys("*")) {
    values.push(key);
    const type = await backend.redis.type(key);
    if (type === "string") values.push(await backend.redis.get(key) ?? "");
    if (type === "zset") values.push(...await backend.redis.zrange(key, "0", "-1"));
    if (type === "hash") values.push(JSON.stringify(await backend.redis.hgetall(key)));
    if (type === "set") values.push(...await backend.redis.smembers(key));
    if (type === "stream") values.push(JSON.stringify(await backend.redis.xrange(key, "-", "+")));
  }
  const places = {
    log: gateway.log,
    answers: seen.join("\n"),
    notices: backend.heard.join("\n"),
    redis: values.join("\n"),
    frames: [...socket.frames, ...second.frames, ...events.blocks].join("\n"),
  };
  assert(/debug/i.test(places.log), "the level is debug");
  assert(values.some((value) => value.includes('"disconnect"')), "the order is kept in Redis");
  for (const [place, text] of Object.entries(places)) {
    assert(text.length > 100, `${place} holds something`);
    for (const spelling of SPELLINGS) {
      assert(!text.includes(spelling), `${place} shows ${spelling}: ${excerpt(text, spelling)}`);
    }
  }
});

function excerpt(text: string, spelling: string): string {
  const at = text.indexOf(spelling);
  return text.slice(Math.max(0, at - 200), at + 200);
}
