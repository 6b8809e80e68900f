import { assert, assertEquals } from "@std/assert";
import { MongoClient } from "mongodb";
import { items, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { startRedis } from "../support/redis.ts";
import { freePort, waitFor } from "../support/wait.ts";

const DOCS = await Deno.readTextFile(new URL("../../docs/deploying.md", import.meta.url));
const KEY = "somebody";
const [, LINE = ""] = /```sh\n(REDIS_URL[\s\S]*?)```/.exec(DOCS) ?? [];

Deno.test("docs/deploying: the narrowed permissions are enough, and narrow", async () => {
  await using redis = await startRedis();
  await using mongodb = await startMongodb();
  await using client = new MongoClient(mongodb.url);
  const database = `deploying_${crypto.randomUUID().slice(0, 8)}`;
  await client.db(database).collection<{ _id: string }>("myCollection").insertOne({ _id: KEY });
  const port = freePort();
  const mongo = new URL(mongodb.url);
  const line = LINE.replaceAll("redis.example:6379", `127.0.0.1:${redis.port}`)
    .replace("mongodb://mongo.example:27017", mongodb.url)
    .replace("mongo.example:27017", mongo.host)
    .replace("0.0.0.0:8088", `0.0.0.0:${port}`)
    .replace("deno run", `exec ${Deno.execPath()} run`);
  const env = { PORT: String(port), MONGODB_DATABASE: database, REDIS_ULR: "a secret of others" };
  {
    await using gateway = await startKeywire(env, { prefix: ["sh", "-c", line] });
    using socket = await openSocket(gateway.url, KEY);
    await redis.tell("PUBLISH", "my_channel", `{"recipients":["${KEY}"],"n":1}`);
    assertEquals(await items(socket.frames, 1), ['{"n":1}']);
    assert(!gateway.log.includes("REDIS_ULR"), "what is not in the list is not seen");
  }
  {
    const wider = line.replace(/--ignore-env --allow-env=\S+/, "--allow-env");
    await using gateway = await startKeywire(env, { prefix: ["sh", "-c", wider] });
    assert(gateway.log.includes("REDIS_ULR is no setting"), "which it is by the start task");
  }
  {
    const narrower = line.replace(`,127.0.0.1:${redis.port}`, "");
    await using deaf = await startKeywire(env, { prefix: ["sh", "-c", narrower], ready: false });
    const warning = new RegExp(`WARN.*127\\.0\\.0\\.1:${redis.port}`);
    await waitFor("a warning that names Redis", () => warning.test(deaf.log));
    const response = await fetch(`${deaf.url}/ready`);
    await response.body?.cancel();
    assertEquals(response.status, 503);
  }
});
