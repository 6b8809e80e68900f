/** What comes at once: messages to readers by one pipeline, and how many readers are cut off. */
import { connectReader } from "./reader.ts";
import type { Bench } from "./bench.ts";
import { startGateway } from "./subjects/mod.ts";
import { V1 } from "./subjects/shapes.ts";
import { keyOf } from "./templates.ts";
import { openBackend } from "../support/redis_client.ts";
import { waitFor } from "../support/wait.ts";

const MESSAGES = 20_000;
const READERS = 50;
const BODY = "x".repeat(200);

/** Sends 20,000 messages to 50 readers of `keywire.v1` in one pipeline. */
export async function measureBurst(
  { redis }: Bench,
  command: "publish" | "xadd",
): Promise<Record<string, number>> {
  const env = { REDIS_STREAM: "burst" };
  await using gateway = await startGateway({ redisPort: redis.port, keys: 1 }, V1, env);
  await using backend = await openBackend(redis.url);
  const url = `ws://127.0.0.1:${gateway.port}/websocket?${keyOf(0)}`;
  const readers = await Promise.all(Array.from({ length: READERS }, () => connectReader(url)));
  const envelope = `{"recipients":["${keyOf(0)}"],"data":"${BODY}"}`;
  const pipeline = backend.redis.pipeline();
  for (let n = 0; n < MESSAGES; n++) {
    if (command === "publish") pipeline.publish("my_channel", envelope);
    else pipeline.xadd("burst", "*", "message", envelope);
  }
  const start = performance.now();
  await pipeline.exec();
  const isOver = () => readers.every((reader) => reader.closed || reader.messages >= MESSAGES);
  await waitFor("the readers to have all of it, or to be cut off", isOver, 120_000);
  const seconds = (performance.now() - start) / 1000;
  const delivered = readers.reduce((sum, { messages }) => sum + messages, 0);
  const cutOff = readers.filter(({ closed }) => closed).length;
  for (const reader of readers) reader.socket.close();
  return { deliveriesPerSecond: delivered / seconds, cutOff };
}
