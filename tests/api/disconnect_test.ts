/** A backend orders connections closed, on two nodes. */
import { assert, assertEquals } from "@std/assert";
import { MongoClient } from "mongodb";
import { handshake, openEvents, openSocket, type SocketClient } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { Proxy } from "../support/proxy.ts";
import { startRedis } from "../support/redis.ts";
import { say } from "../support/say.ts";
import { waitFor } from "../support/wait.ts";

const TOKEN = "the-token-of-the-backend-of-the-tests";
const USER = ["user:42", "team:7"];
/** How many orders are timed. */
const ORDERS = 21;
/** What the quicker ones may take, and the median where a machine is busy, in milliseconds. */
const WANTED_MS = 100;
const BUSY_MS = 1_000;

async function call(node: KeywireProcess, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${node.url}/api/${path}`, {
    method: "POST",
    headers: { "Authorization": `Bearer ${TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  assertEquals(response.status, 202);
  await response.body?.cancel();
}

/** Orders a disconnect on `node`, and returns after how many ms all of `sockets` were closed. */
async function disconnect(
  node: KeywireProcess,
  order: unknown,
  sockets: readonly SocketClient[],
): Promise<number> {
  let ms = 0;
  const start = performance.now();
  const closed = Promise.all(sockets.map(async ({ closed }) => {
    const { code } = await closed;
    ms = performance.now() - start;
    return code;
  }));
  await call(node, "disconnect", order);
  assertEquals(await closed, sockets.map(() => 4403));
  return ms;
}

Deno.test("Rights end on two nodes at once", async (t) => {
  await using redis = await startRedis();
  await using proxy = new Proxy(redis.port);
  await using mongodb = await startMongodb();
  await using client = new MongoClient(mongodb.url);
  const database = `rights${crypto.randomUUID().slice(0, 8)}`;
  const keys = client.db(database).collection<{ _id: string; who: string[] }>("myCollection");
  await keys.insertMany([
    ...["phone", "laptop", "tablet", "browser"].map((_id) => ({ _id, who: USER })),
    { _id: "colleague", who: ["user:1", "team:7"] },
    { _id: "late", who: ["user:9"] },
    { _id: "early", who: ["user:9"] },
    { _id: "again", who: ["user:3"] },
  ]);
  const settings = {
    MONGODB_URL: mongodb.url,
    MONGODB_DATABASE: database,
    MONGODB_RECIPIENT_FIELD: "who",
    MONGODB_TIMEOUT_MS: "10000",
    REVALIDATE_SECONDS: "600",
    API_TOKEN: TOKEN,
  };
  await using a = await startKeywire({ ...settings, REDIS_URL: redis.url });
  await using b = await startKeywire({
    ...settings,
    REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
  });
  const [phone, laptop, tablet, colleague] = await Promise.all([
    openSocket(a.url, "phone"),
    openSocket(a.url, "laptop", { v1: true }),
    openSocket(b.url, "tablet"),
    openSocket(b.url, "colleague"),
  ]);
  const browser = await openEvents(b.url, "browser");
  const heardBy = {
    phone: () => phone.frames,
    laptop: () =>
      laptop.events.filter(({ type }) => type === "message").map(({ message }) =>
        JSON.stringify(message)
      ),
    tablet: () => tablet.frames,
    browser: () => browser.messages,
    colleague: () => colleague.frames,
  };
  let ends = 0;
  /** What each of `names` has heard by the time at which all of them heard the end of both ways. */
  const heard = async (names: readonly (keyof typeof heardBy)[]) => {
    const end = ++ends;
    await redis.tell("PUBLISH", "my_channel", `{"recipients":"*","end":${end}}`);
    await call(a, "publish", { recipients: "*", end });
    const hasEnded = (texts: readonly string[]) =>
      texts.filter((text) => text === `{"end":${end}}`).length === 2;
    await waitFor("both ends", () => names.every((name) => hasEnded(heardBy[name]())));
    return names.map((name) => heardBy[name]().filter((text) => !text.startsWith('{"end"')));
  };

  await t.step(
    "a user with three sessions and a team hears by user, by team, by both, once each",
    async () => {
      const publish = {
        xadd: (text: string) => redis.tell("XADD", "my_stream", "*", "message", text),
        publish: (text: string) => redis.tell("PUBLISH", "my_channel", text),
        "post to a": (text: string) => call(a, "publish", JSON.parse(text)),
        "post to b": (text: string) => call(b, "publish", JSON.parse(text)),
      };
      for (const [way, send] of Object.entries(publish)) {
        const envelopes = {
          user: ["user:42"],
          team: ["team:7"],
          both: ["team:7", "user:42"],
          repeated: ["user:42", "user:42"],
          colleague: ["user:1"],
        };
        for (const [by, recipients] of Object.entries(envelopes)) {
          await send(JSON.stringify({ recipients, way, by }));
        }
      }
      const lines = (...by: string[]) =>
        ["xadd", "publish", "post to a", "post to b"].flatMap((way) =>
          by.map((each) => JSON.stringify({ way, by: each }))
        ).sort();
      const own = lines("user", "team", "both", "repeated");
      const all = await heard(["phone", "laptop", "tablet", "browser", "colleague"]);
      // Channel and stream are two orders.
      assertEquals(all.map((texts) => texts.toSorted()), [
        ...Array(4).fill(own),
        lines("team", "both", "colleague"),
      ]);
    },
  );

  await t.step("one session's key is disconnected, and the others stay", async () => {
    await disconnect(b, { keys: ["phone"] }, [phone]);
    await heard(["laptop", "tablet", "browser", "colleague"]);
  });

  await t.step("a recipient is disconnected on both nodes, and the team stays", async () => {
    await disconnect(a, { recipients: ["user:42"] }, [laptop, tablet]);
    await browser.ended;
    await heard(["colleague"]);
  });

  await t.step("sockets on both nodes are closed within 100 ms", async () => {
    const times: number[] = [];
    for (let order = 0; order < ORDERS; order++) {
      const sockets = await Promise.all([a, b].map(({ url }) => openSocket(url, "again")));
      const by = order % 2 === 0 ? { recipients: ["user:3"] } : { keys: ["again"] };
      times.push(await disconnect([a, b][order % 3 % 2]!, by, sockets));
    }
    times.sort((a, b) => a - b);
    const [quartile, median] = [times[ORDERS >> 2]!, times[ORDERS >> 1]!];
    await say(
      `disconnected on two nodes: median ${median.toFixed(1)} ms, at most ` +
        `${Math.max(...times).toFixed(1)} ms of ${ORDERS} orders`,
    );
    assert(quartile < WANTED_MS && median < BUSY_MS, `they took ${times} ms`);
  });

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
    socket.socket.send("ping");
    await waitFor("its answer", () => socket.frames.at(-1) === "heartbeat message");
    proxy.accept();
    assertEquals((await socket.closed).code, 4403);
    assertEquals((await colleague.closed).code, 4403);
    using again = await openSocket(a.url, "colleague");
    again.socket.send("ping");
    await waitFor("its answer", () => again.frames.at(-1) === "heartbeat message");
  });
});
