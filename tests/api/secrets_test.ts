/** The key of a client appears nowhere but in the client's own requests. */
import { assert, assertEquals } from "@std/assert";
import { MongoClient } from "mongodb";
import { BulletPolling } from "../support/bullet.ts";
import { items, openEvents, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { trustRegistry } from "../support/presence.ts";
import { startRedis } from "../support/redis.ts";
import { type Backend, openBackend } from "../support/redis_client.ts";
import {
  Asker,
  assertHidden,
  bytesOf,
  keyOf,
  presented,
  STEM,
  TOKEN,
  tryEverywhere,
} from "../support/secrets.ts";
import { waitFor } from "../support/wait.ts";

const WRONG_TOKEN = `${TOKEN}-which-is-wrong`;
const PASSWORD = "p4ssword-of-redis";
const NAMES = ["plain", "v1", "sse", "polling", "flood", "large"];
const UNKNOWN = keyOf("unknown");
const SECRETS = [STEM, ...NAMES.map(keyOf), UNKNOWN, TOKEN, WRONG_TOKEN, PASSWORD];

async function valuesOf({ redis }: Backend): Promise<string> {
  const values: string[] = [];
  for (const key of await redis.keys("*")) {
    values.push(key);
    const type = await redis.type(key);
    if (type === "string") values.push(await redis.get(key) ?? "");
    if (type === "zset") values.push(...await redis.zrange(key, "0", "-1"));
    if (type === "hash") values.push(JSON.stringify(await redis.hgetall(key)));
    if (type === "set") values.push(...await redis.smembers(key));
    if (type === "stream") values.push(JSON.stringify(await redis.xrange(key, "-", "+")));
  }
  return values.join("\n");
}

Deno.test("A key appears nowhere, whatever its client does, at level debug", async () => {
  await using redis = await startRedis();
  await trustRegistry(redis); // else it decides about notices after one lease
  await redis.tell("ACL", "SETUSER", "keywire", "on", `>${PASSWORD}`, "~*", "&*", "+@all");
  await using mongodb = await startMongodb();
  await using client = new MongoClient(mongodb.url);
  const database = `secrets${crypto.randomUUID().slice(0, 8)}`;
  const documents = client.db(database).collection<{ _id: string; who: unknown }>("myCollection");
  await documents.insertMany([
    ...NAMES.map((name) => ({ _id: keyOf(name), who: name as unknown })),
    { _id: keyOf("malformed"), who: 1.5 },
  ]);
  await using gateway = await startKeywire({
    REDIS_URL: redis.url.replace("//", `//keywire:${PASSWORD}@`),
    MONGODB_URL: mongodb.url,
    MONGODB_DATABASE: database,
    MONGODB_RECIPIENT_FIELD: "who",
    MONGODB_TIMEOUT_MS: "500",
    REVALIDATE_SECONDS: "1",
    MAX_CONNECTIONS_PER_KEY: "1",
    ALLOWED_ORIGINS: "https://app.example",
    API_TOKEN: TOKEN,
    LOG_LEVEL: "debug",
  });
  const channels = ["connected", "disconnected", "my_channel", "{keywire}:control"];
  await using backend = await openBackend(redis.url, { channels });
  const asker = new Asker(gateway);
  const heard = (notice: string) => waitFor(notice, () => backend.heard.includes(notice), 40_000);

  // Clients connect, by each transport.
  const [plain, flood, large] = await Promise.all(
    ["plain", "flood", "large"].map((name) => openSocket(gateway.url, keyOf(name))),
  );
  const v1 = await openSocket(gateway.url, keyOf("v1"), { v1: true });
  const sse = await openEvents(gateway.url, bytesOf(keyOf("sse")));
  using polling = new BulletPolling(
    `${gateway.url}/websocket?${encodeURIComponent(keyOf("polling"))}`,
  );
  await polling.opened;
  for (const name of NAMES) await heard(`connected ${name}`);

  // They are published to.
  const envelope = JSON.stringify({ recipients: NAMES, n: 1 });
  assertEquals(await asker.post("publish", envelope), 202);
  await redis.tell("PUBLISH", "my_channel", envelope);
  await redis.tell("XADD", "my_stream", "*", "message", envelope);
  await Promise.all([
    ...[plain!.frames, flood!.frames, sse.messages, polling.messages].map((list) => items(list, 3)),
    items(v1.events, 4),
  ]);

  // They misbehave.
  for (let at = 0; at < 1_500; at++) flood!.socket.send(`${keyOf("flood")} ${at}`);
  assertEquals((await flood!.closed).code, 4429);
  large!.socket.send(keyOf("large").repeat(500));
  assertEquals((await large!.closed).code, 1009);
  await polling.send(keyOf("polling"));
  const full = presented(keyOf("v1"));
  for (const [query, headers] of full) {
    assertEquals(await asker.shake(`/websocket?${query}`, headers), 429);
  }
  for (const key of [keyOf("v1"), UNKNOWN, keyOf("malformed"), `${UNKNOWN}\tx`]) {
    await tryEverywhere(asker, key);
  }
  await mongodb.freeze();
  assertEquals(await asker.shake(`/websocket?${encodeURIComponent(UNKNOWN)}`), 503);
  await mongodb.thaw();
  await redis.tell("CLIENT", "KILL", "USER", "keywire");
  // So do backends.
  await redis.tell("PUBLISH", "my_channel", `{"recipients":["${keyOf("plain")}"],}`);
  await redis.tell("XADD", "my_stream", "*", "message", `["${UNKNOWN}"]`);
  const [key] = [keyOf("plain")];
  for (const keys of [[key, 1], [`${key}\u0000`], { [key]: 1 }, key]) {
    assertEquals(await asker.post("disconnect", JSON.stringify({ keys })), 400);
  }
  await asker.post("presence", JSON.stringify({ recipients: ["plain"], keys: [key] }));
  const wrong = { headers: { Authorization: `Bearer ${WRONG_TOKEN}` } };
  assertEquals(await asker.ask("/api/cursor", wrong), 401);

  // They are revoked, by an order and by their documents.
  await waitFor("the order", async () => {
    return await asker.post("disconnect", JSON.stringify({ keys: [key] })) === 202;
  });
  assertEquals((await plain!.closed).code, 4403);
  await documents.deleteMany({ _id: { $in: ["v1", "sse", "polling"].map(keyOf) } });
  assertEquals((await v1.closed).code, 4403);
  await sse.ended;
  assertEquals(await polling.failed, 403);
  for (const name of NAMES) await heard(`disconnected ${name}`);

  const token = { headers: { Authorization: `Bearer ${TOKEN}` } };
  for (const path of ["cursor", "nodes"]) await asker.ask(`/api/${path}`, token);
  await asker.ask("/metrics");
  const redisHolds = await valuesOf(backend);
  assert(redisHolds.includes('"disconnect"'), "the order is kept in Redis");
  assert(/debug/i.test(gateway.log), "the level is debug");
  const metrics = [...await gateway.metrics()];
  for (const reason of ["unknown_key", "key_limit", "key", "origin", "version", "store"]) {
    const series = `keywire_connects_refused_total{reason="${reason}",`;
    assert(metrics.some(([name, value]) => name.startsWith(series) && value > 0), series);
  }
  // What a backend itself wrote into the stream, it finds there.
  const own = `["${UNKNOWN}"]`;
  assertHidden({
    log: gateway.log,
    answers: asker.answers.join("\n"),
    notices: backend.heard.filter((text) => !text.startsWith("my_channel ")).join("\n"),
    redis: redisHolds.replaceAll(JSON.stringify(own).slice(1, -1), ""),
    frames: [...plain!.frames, ...v1.frames, ...sse.blocks, ...polling.messages].join("\n"),
  }, SECRETS);
});

Deno.test("A key that is its own recipient appears in no log, metric, error or header at level debug", async () => {
  await using redis = await startRedis();
  await trustRegistry(redis);
  const permit = (...rules: string[]) => redis.tell("ACL", "SETUSER", "keywire", ...rules);
  await permit("on", `>${PASSWORD}`, "~*", "&*", "+@all");
  const [ann, bob, cyd] = ["ann", "bob", "cyd"].map(keyOf) as [string, string, string];
  await using gateway = await startKeywire({
    REDIS_URL: redis.url.replace("//", `//keywire:${PASSWORD}@`),
    EMBEDDED_KEYS: `${ann},${bob},${cyd}`,
    API_TOKEN: TOKEN,
    LOG_LEVEL: "debug",
  });
  const channels = ["connected", "disconnected"];
  await using backend = await openBackend(redis.url, { channels });
  const asker = new Asker(gateway);
  const socket = await openSocket(gateway.url, ann, { v1: true });
  await waitFor("the notice", () => backend.heard.includes(`connected ${ann}`), 40_000);
  await tryEverywhere(asker, keyOf("unknown"));
  const envelope = JSON.stringify({ recipients: [ann] });
  await redis.tell("XADD", "my_stream", "*", "message", envelope);
  await items(socket.events, 2);

  // What is malformed around keys.
  const texts = [
    envelope.slice(0, -1),
    `${envelope},`,
    `[${envelope}]`,
    JSON.stringify({ recipients: { [ann]: true } }),
    JSON.stringify({ recipients: [ann, 1] }),
    JSON.stringify({ recipients: [ann, ""] }),
    JSON.stringify({ [ann]: 1 }),
    JSON.stringify(ann),
    envelope.replaceAll('"', "”"),
  ];
  const metric = 'keywire_messages_dropped_total{reason="not_json"}';
  for (const text of texts) {
    await redis.tell("PUBLISH", "my_channel", text);
    await redis.tell("XADD", "my_stream", "*", "message", text);
    for (const path of ["publish", "publish/batch", "disconnect", "presence"]) {
      const status = await asker.post(path, text);
      // A batch of one is what the third text is.
      if (status === 202) assertEquals([path, text], ["publish/batch", texts[2]]);
    }
    await asker.post("publish/batch", `${text}\n`, "application/x-ndjson");
  }
  await waitFor("the drops", async () => ((await gateway.metrics()).get(metric) ?? 0) >= 4);

  // What Redis refuses, beside keys.
  const [record] = await backend.redis.keys("*:at");
  await backend.redis.set(record!.replace("ann", "bob"), "text");
  using _refused = await openSocket(gateway.url, bob);
  await waitFor("the refusal", () => gateway.log.includes("WRONGTYPE"));
  await permit("resetchannels", "&my_channel", "&*:control");
  using _silent = await openSocket(gateway.url, cyd);
  await waitFor("the refusal", () => gateway.log.includes("NOPERM"));
  await permit("allchannels", "-xadd");
  assertEquals(await asker.post("publish", envelope), 503);
  await permit("+xadd");
  await asker.ask("/metrics");
  socket.socket.close();
  // The page on this machine is told a key of the embedded store.
  const answers = asker.answers.filter((text) => !text.includes('"demoKey"'));
  assertHidden(
    { log: gateway.log, answers: answers.join("\n") },
    [STEM, ann, bob, cyd, keyOf("unknown"), TOKEN, PASSWORD],
  );
});
