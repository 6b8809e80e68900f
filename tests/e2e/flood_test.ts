import { assert, assertEquals } from "@std/assert";
import type { Malformed } from "../../src/core/message.ts";
import { openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { openBackend } from "../support/redis_client.ts";
import { waitFor } from "../support/wait.ts";

const MAX_BYTES = 1_024;
const EACH = 14_300;
/** How often each of the reasons may have a line, in milliseconds, and how long that is at most. */
const LINE_EVERY_MS = 1_000;
const LINE_LENGTH = 500;

/** One of each kind. An envelope for no recipient here need not be validated, so these name one. */
const MALFORMED: Record<Exclude<Malformed, "not_utf8" | "no_message_field">, string> = {
  not_json: "{“recipients”:[“demo”]}",
  not_object: '["recipients","demo"]',
  no_recipients: '{"recipient":["demo"]}',
  repeated_recipients: '{"recipients":["demo"],"recipients":["demo"]}',
  numeric_recipients: '{"recipients":["demo",42]}',
  wrong_recipients: '{"recipients":{"demo":true}}',
  too_large: `{"recipients":["demo"],"x":"${"x".repeat(MAX_BYTES)}"}`,
};

Deno.test("A flood of 100,000 malformed messages is dropped, counted by reason, and good ones arrive", async () => {
  await using redis = await startRedis();
  await using gateway = await startKeywire({
    REDIS_URL: redis.url,
    MAX_MESSAGE_BYTES: String(MAX_BYTES),
  });
  await using backend = await openBackend(redis.url);
  using socket = await openSocket(gateway.url, "demo");
  const good = (n: number) =>
    backend.redis.publish("my_channel", `{"recipients":["demo"],"n":${n}}`);
  await waitFor("the last line of its start", () => /Settings: .*\n/.test(gateway.log));
  const before = gateway.log.length;
  const start = performance.now();
  await good(1);
  for (let sent = 0; sent < EACH; sent += 100) {
    const pipeline = backend.redis.pipeline();
    for (let i = 0; i < 100; i++) {
      for (const text of Object.values(MALFORMED)) pipeline.publish("my_channel", text);
    }
    await pipeline.exec();
  }
  await good(2);
  await waitFor("the second good message", () => socket.frames.length === 2, 60_000);
  assertEquals(socket.frames, ['{"n":1}', '{"n":2}']);
  const metrics = await gateway.metrics();
  for (const reason of Object.keys(MALFORMED)) {
    assertEquals(metrics.get(`keywire_messages_dropped_total{reason="${reason}"}`), EACH, reason);
  }
  const lines = Object.keys(MALFORMED).length * (2 + (performance.now() - start) / LINE_EVERY_MS);
  const most = before + lines * LINE_LENGTH;
  assert(
    gateway.log.length < most,
    `The log has ${gateway.log.length} characters, at most ${most}`,
  );
});
