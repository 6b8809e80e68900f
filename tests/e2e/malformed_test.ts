import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import { items, openSocket } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { openBackend } from "../support/redis_client.ts";
import { waitFor } from "../support/wait.ts";

const NOT_UTF8 = Buffer.from('{"recipients":["demo"],"n":"\xff"}', "latin1");

async function dropped(gateway: KeywireProcess, reason: string): Promise<number> {
  return (await gateway.metrics()).get(`keywire_messages_dropped_total{reason="${reason}"}`) ?? 0;
}

Deno.test("Router: what is no envelope is dropped and counted by its reason, and the log says what POST would", async () => {
  await using redis = await startRedis();
  await using gateway = await startKeywire({ REDIS_URL: redis.url, LOG_LEVEL: "debug" });
  await using backend = await openBackend(redis.url);
  using socket = await openSocket(gateway.url, "demo", { v1: true });
  await items(socket.events, 1);
  const add = (field: string, value: string | Buffer) =>
    backend.redis.xadd("my_stream", "*", field, value);

  await backend.redis.publish("my_channel", NOT_UTF8);
  const notUtf8 = await add("message", NOT_UTF8);
  const wrongField = await add("massage", '{"recipients":["demo"]}');
  const quotes = "{“recipients”:[“demo”]}";
  await backend.redis.publish("my_channel", quotes);
  const notJson = await add("message", `${quotes}${"x".repeat(200)}`);
  // A replacement character that the backend wrote is text as any other.
  await backend.redis.publish("my_channel", '{"recipients":["demo"],"n":"\ufffd"}');
  await add("message", '{"recipients":["demo"],"n":"\ufffd"}');

  const [, ...messages] = await items(socket.events, 3);
  assertEquals(messages.map(({ message }) => message), [{ n: "\ufffd" }, { n: "\ufffd" }]);
  await waitFor("the drops", async () => await dropped(gateway, "not_json") === 2);
  assertEquals(await dropped(gateway, "not_utf8"), 2);
  assertEquals(await dropped(gateway, "no_message_field"), 1);

  const says = async (text: string, detail: string) => {
    const isIt = (line: string) =>
      line.includes(`Dropped an envelope of the ${text}`) && line.includes(detail);
    await waitFor(
      () => `a line that the ${text} has ${detail} in ${gateway.log}`,
      () => gateway.log.split("\n").some(isIt),
    );
  };
  await says(`stream, entry ${notUtf8}`, "its bytes are not UTF-8");
  await says(`stream, entry ${wrongField}`, "has no field message");
  await says(`stream, entry ${notJson}`, "mind typographic quotes");
  await says("channel", "its bytes are not UTF-8");
  await says("channel", "mind typographic quotes");
  const excerpts = gateway.log.split("\n").filter((line) => line.includes("recipients”"));
  assert(excerpts.length > 0 && excerpts.every((line) => /debug/i.test(line)), excerpts.join("\n"));
  assert(!gateway.log.includes("x".repeat(101)), "an excerpt is longer than 100 characters");

  // A client that comes back is not owed them either.
  using back = await openSocket(gateway.url, "demo", {
    v1: true,
    after: String(socket.events[0]?.cursor),
  });
  const [welcome, ...replayed] = await items(back.events, 3);
  assertEquals(welcome?.recovered, true);
  assertEquals(replayed.map(({ message }) => message), [{ n: "\ufffd" }, { n: "\ufffd" }]);
});

Deno.test("Router: nothing of a dropped envelope is logged unless the level is debug", async () => {
  await using redis = await startRedis();
  await using gateway = await startKeywire({ REDIS_URL: redis.url });
  using _socket = await openSocket(gateway.url, "demo");
  await redis.tell("PUBLISH", "my_channel", "{“sesame”:[“demo”]}");
  await waitFor("the line", () => gateway.log.includes("Dropped an envelope"));
  assert(!gateway.log.includes("sesame"), gateway.log);
});
