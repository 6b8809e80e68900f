import { assertEquals } from "@std/assert";
import { openEvents, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { openBackend } from "../support/redis_client.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";

const READERS = 50;
const MESSAGES = 8_000;
const envelope = `{"recipients":"*","data":"${"x".repeat(205)}"}`;

/** Sends all of it in one pipeline, and waits until each of 50 readers has all of it. */
async function burst(command: "publish" | "xadd"): Promise<void> {
  await using redis = await startRedis();
  await using gateway = await startKeywire({ REDIS_URL: redis.url });
  const counts = Array<number>(READERS).fill(0);
  const readers: Disposable[] = [];
  for (let n = 0; n < READERS; n++) {
    if (n % 5 === 0) {
      const client = await openEvents(gateway.url, "demo");
      client.messages.push = () => ++counts[n]!;
      readers.push(client);
    } else {
      const client = await openSocket(gateway.url, "demo");
      client.socket.onmessage = () => counts[n]!++;
      readers.push(client);
    }
  }
  await using backend = await openBackend(redis.url);
  const pipeline = backend.redis.pipeline();
  for (let n = 0; n < MESSAGES; n++) {
    if (command === "publish") pipeline.publish("my_channel", envelope);
    else pipeline.xadd("my_stream", "*", "message", envelope);
  }
  await pipeline.exec();
  await waitFor(
    "every reader to have all of it",
    () => counts.every((count) => count === MESSAGES),
    60_000,
  ).catch((error) => {
    throw new Error(`${(error as Error).message}: ${counts}\n${gateway.log}`);
  });
  const metrics = await gateway.metrics();
  assertEquals(metrics.get('keywire_connections_closed_total{code="4408"}') ?? 0, 0);
  assertEquals(metrics.get('keywire_gaps_total{source="channel"}'), 0);
  for (const reader of readers) reader[Symbol.dispose]();
}

together("A burst is not slowness: 50 readers get all of 8,000 messages at once", {
  "by one pipelined PUBLISH": () => burst("publish"),
  "by one pipelined XADD": () => burst("xadd"),
});
