/** Rights that end while a client is connected, on two nodes with one Redis. */
import { assert, assertEquals } from "@std/assert";
import { MongoClient } from "mongodb";
import { items, openEvents, openSocket } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";
import { startRedis } from "../support/redis.ts";
import { say } from "../support/say.ts";
import { last, waitFor } from "../support/wait.ts";

const SECONDS = 2;
/** What a round may take on a machine that is busy; without the setting there is one each 30 s. */
const BUSY_MS = 6_000;

interface Document {
  readonly _id: string;
  readonly who: string;
  readonly active: boolean;
  readonly until: Date;
}

async function failedRounds(node: KeywireProcess): Promise<number> {
  const metrics = await node.metrics();
  return metrics.get('keywire_revalidation_rounds_total{result="failed"}') ?? 0;
}

Deno.test("Open connections lose their rights with their document on two nodes within REVALIDATE_SECONDS, and only then", async () => {
  await using redis = await startRedis();
  await using mongodb = await startMongodb();
  await using client = new MongoClient(mongodb.url);
  const database = `rights${crypto.randomUUID().slice(0, 8)}`;
  const keys = client.db(database).collection<Document>("myCollection");
  const settings = {
    REDIS_URL: redis.url,
    MONGODB_URL: mongodb.url,
    MONGODB_DATABASE: database,
    MONGODB_RECIPIENT_FIELD: "who",
    MONGODB_FILTER: '{"active":true}',
    MONGODB_EXPIRES_FIELD: "until",
    MONGODB_TIMEOUT_MS: "1000",
    REVALIDATE_SECONDS: `${SECONDS}`,
  };
  await using a = await startKeywire(settings);
  await using b = await startKeywire(settings);
  const nodes = [a, b];

  const later = new Date(Date.now() + 3_600_000);
  const names = ["stays", "removed", "filtered", "expires", "renamed"];
  await keys.insertMany(
    names.map((name) => ({ _id: name, who: name, active: true, until: later })),
  );
  const connect = (name: string) =>
    Promise.all([
      ...nodes.map(({ url }) => openSocket(url, name)),
      ...nodes.map(({ url }) => openSocket(url, name, { v1: true })),
    ]);
  const [stays, removed, filtered, expires, renamed] = await Promise.all(names.map(connect));
  const streams = await Promise.all(nodes.map(({ url }) => openEvents(url, "removed")));

  const closes = async (
    sockets: Awaited<ReturnType<typeof connect>>,
    code: number,
    change: () => Promise<unknown>,
  ) => {
    await change();
    const start = performance.now();
    const codes: number[] = [];
    const times: number[] = [];
    let ms = 0;
    for (const { closed } of sockets) {
      closed.then((event) => {
        codes.push(event.code);
        times.push(Date.now());
        ms = Math.round(performance.now() - start);
      });
    }
    await waitFor("every close", () => codes.length === sockets.length);
    assertEquals(codes, sockets.map(() => code));
    assert(ms < SECONDS * 1_000 + BUSY_MS, `it took ${ms} ms`);
    return { ms, first: Math.min(...times) };
  };
  let until = new Date();
  const all = await Promise.all([
    closes(removed!, 4403, () => keys.deleteOne({ _id: "removed" })),
    closes(filtered!, 4403, () => keys.updateOne({ _id: "filtered" }, { $set: { active: false } })),
    closes(expires!, 4403, async () => {
      // The date itself is reached while they are connected.
      until = new Date(Date.now() + 1_000);
      await keys.updateOne({ _id: "expires" }, { $set: { until } });
      await last(until.getTime() - Date.now());
    }),
    closes(renamed!, 1012, () => keys.updateOne({ _id: "renamed" }, { $set: { who: "another" } })),
  ]);
  await Promise.all(streams.map(({ ended }) => ended));
  const [, , expired] = all;
  assert(expired.first >= until.getTime(), `${until.getTime() - expired.first} ms too early`);
  const times = all.map(({ ms }) => ms).join(", ");
  await say(`removed, filtered, expired, changed: closed after ${times} ms`);

  await mongodb.freeze();
  const before = await Promise.all(nodes.map(failedRounds));
  await waitFor("a round without an answer on both", async () => {
    const now = await Promise.all(nodes.map(failedRounds));
    return now.every((count, at) => count > before[at]!);
  });
  await mongodb.thaw();
  for (const { socket, frames } of stays!) {
    const heard = frames.length;
    socket.send("ping");
    assertEquals((await items(frames, heard + 1)).length, heard + 1);
    socket.close();
  }
});
