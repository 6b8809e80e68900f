/** Rights that end, on two nodes: a document that is gone, and a backend that orders it. */
import { assert, assertEquals } from "@std/assert";
import { MongoClient } from "mongodb";
import { handshake, items, openSocket, type SocketClient } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { Proxy } from "../support/proxy.ts";
import { startRedis } from "../support/redis.ts";
import { say } from "../support/say.ts";
import { waitFor } from "../support/wait.ts";

const TOKEN = "the-token-of-the-backend-of-the-tests";
const USER = ["user:42", "team:7"];

async function call(node: KeywireProcess, path: string, body: unknown): Promise<Response> {
  const response = await fetch(`${node.url}/api/${path}`, {
    method: "POST",
    headers: { "Authorization": `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  assertEquals(response.status, 202);
  await response.body?.cancel();
  return response;
}

/** Orders a disconnect on `node`, and returns after how many ms all of `sockets` were closed. */
async function disconnect(
  node: KeywireProcess,
  order: unknown,
  sockets: readonly SocketClient[],
): Promise<number> {
  const start = performance.now();
  const closed = Promise.all(sockets.map(({ closed }) => closed));
  await call(node, "disconnect", order);
  assertEquals(new Set((await closed).map(({ code }) => code)), new Set([4403]));
  return Math.round(performance.now() - start);
}

async function isOpen({ socket, frames }: SocketClient): Promise<boolean> {
  const before = frames.length;
  socket.send("ping");
  await items(frames, before + 1);
  return frames.at(-1) === "heartbeat message";
}

Deno.test("Rights end on two nodes at once", async (t) => {
  await using redis = await startRedis();
  await using proxy = new Proxy(redis.port);
  await using mongodb = await startMongodb();
  await using client = new MongoClient(mongodb.url);
  const database = `rights${crypto.randomUUID().slice(0, 8)}`;
  const keys = client.db(database).collection<{ _id: string; who: string[] }>("myCollection");
  await keys.insertMany([
    ...["phone", "laptop", "tablet"].map((_id) => ({ _id, who: USER })),
    { _id: "colleague", who: ["user:1", "team:7"] },
    { _id: "late", who: ["user:9"] },
    { _id: "early", who: ["user:9"] },
    ...["gone-a", "gone-b"].map((_id) => ({ _id, who: ["user:3"] })),
  ]);
  const settings = {
    MONGODB_URL: mongodb.url,
    MONGODB_DATABASE: database,
    MONGODB_RECIPIENT_FIELD: "who",
    MONGODB_TIMEOUT_MS: "10000",
    REVALIDATE_SECONDS: "1",
    API_TOKEN: TOKEN,
  };
  await using a = await startKeywire({ ...settings, REDIS_URL: redis.url });
  await using b = await startKeywire({
    ...settings,
    REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
    REVALIDATE_SECONDS: "600",
  });
  const [phone, laptop, tablet, colleague] = await Promise.all([
    openSocket(a.url, "phone"),
    openSocket(a.url, "laptop"),
    openSocket(b.url, "tablet"),
    openSocket(b.url, "colleague"),
  ]);
  const own = [phone, laptop, tablet];

  await t.step(
    "a user with three sessions and a team hears by user, by team, by both",
    async () => {
      const names = [["user:42"], ["team:7"], ["team:7", "user:42"], ["user:1"]];
      for (const [n, recipients] of names.entries()) await call(a, "publish", { recipients, n });
      for (const { frames } of own) {
        assertEquals(await items(frames, 3), ['{"n":0}', '{"n":1}', '{"n":2}']);
      }
      assertEquals(await items(colleague.frames, 3), ['{"n":1}', '{"n":2}', '{"n":3}']);
    },
  );

  await t.step("one session's key is disconnected, and the others stay", async () => {
    const ms = await disconnect(b, { keys: ["phone"] }, [phone]);
    for (const socket of [laptop, tablet, colleague]) assert(await isOpen(socket));
    assert(ms < 5_000, `it took ${ms} ms`);
  });

  await t.step("a recipient is disconnected on both nodes, and the team stays", async () => {
    const ms = await disconnect(a, { recipients: ["user:42"] }, [laptop, tablet]);
    assert(await isOpen(colleague));
    assert(ms < 5_000, `it took ${ms} ms`);
    await say(`disconnected on two nodes after ${ms} ms`);
  });

  await t.step(
    "a document that is removed ends its sockets within REVALIDATE_SECONDS",
    async () => {
      const gone = await Promise.all([openSocket(a.url, "gone-a"), openSocket(a.url, "gone-b")]);
      await keys.deleteMany({ who: "user:3" });
      for (const { closed } of gone) assertEquals((await closed).code, 4403);
    },
  );

  await t.step("a look-up that is under way is refused, a later one is asked anew", async () => {
    const early = await openSocket(a.url, "early");
    const slots = async () => (await a.metrics()).get("keywire_connection_slots_used") ?? 0;
    const before = await slots();
    await mongodb.freeze();
    const late = handshake(a.port, "/websocket?late");
    await waitFor("its look-up", async () => await slots() > before);
    await disconnect(b, { recipients: ["user:9"] }, [early]);
    const later = handshake(a.port, "/websocket?late");
    await mongodb.thaw();
    assertEquals((await late).status, 403);
    assertEquals((await later).status, 101);
  });

  await t.step("a node that was cut off follows as soon as it is back", async () => {
    const socket = await openSocket(b.url, "colleague");
    proxy.refuse();
    await waitFor("the node to be deaf", async () => {
      const response = await fetch(`${b.url}/ready`);
      await response.body?.cancel();
      return response.status === 503;
    });
    await call(a, "disconnect", { keys: ["colleague"] });
    assert(await isOpen(socket));
    proxy.accept();
    assertEquals((await socket.closed).code, 4403);
    assertEquals((await colleague.closed).code, 4403);
    using again = await openSocket(a.url, "colleague");
    assert(await isOpen(again));
  });
});
