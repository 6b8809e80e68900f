import { assertEquals } from "@std/assert";
import { MongoClient } from "mongodb";
import { items, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startMongodb } from "../support/mongodb.ts";

Deno.test("An open connection loses its rights with its document, and only then", async () => {
  await using mongodb = await startMongodb();
  await using client = new MongoClient(mongodb.url);
  const database = `rights${crypto.randomUUID().slice(0, 8)}`;
  const keys = client.db(database).collection<{ _id: string; who: string; until: Date }>(
    "myCollection",
  );
  const later = new Date(Date.now() + 3_600_000);
  const names = ["stays", "removed", "renamed", "expires"];
  await keys.insertMany(names.map((name) => ({ _id: name, who: name, until: later })));
  await using gateway = await startKeywire({
    MONGODB_URL: mongodb.url,
    MONGODB_DATABASE: database,
    MONGODB_RECIPIENT_FIELD: "who",
    MONGODB_EXPIRES_FIELD: "until",
    MONGODB_TIMEOUT_MS: "500",
    REVALIDATE_SECONDS: "1",
  });
  const [stays, removed, renamed, expires] = await Promise.all(
    names.map((name) => openSocket(gateway.url, name)),
  );
  await keys.deleteOne({ _id: "removed" });
  assertEquals((await removed!.closed).code, 4403);
  await keys.updateOne({ _id: "renamed" }, { $set: { who: "somebody else" } });
  assertEquals((await renamed!.closed).code, 1012);
  await keys.updateOne({ _id: "expires" }, { $set: { until: new Date(0) } });
  assertEquals((await expires!.closed).code, 4403);
  await mongodb.freeze();
  await new Promise((resolve) => setTimeout(resolve, 2_500)); // Two rounds without an answer.
  await mongodb.thaw();
  stays!.socket.send("ping");
  assertEquals(await items(stays!.frames, 1), ["heartbeat message"]);
  using _ = stays!;
});
