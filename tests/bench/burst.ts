/** What comes at once: how many readers a pipeline of messages cuts off, and how fast such go out. */
import { type Bench, target, WARMUP } from "./bench.ts";
import { connectReader } from "./reader.ts";
import { figures } from "./result.ts";
import { startGateway } from "./subjects/mod.ts";
import { addToStream, publishOnChannel, V1 } from "./subjects/shapes.ts";
import { keyOf } from "./templates.ts";
import { openBackend } from "../support/redis_client.ts";
import { waitFor } from "../support/wait.ts";

const MESSAGES = 20_000;
const READERS = 50;
const BODY = "x".repeat(200);
const STREAM = "burst";

type Command = "publish" | "xadd";

/**
 * Sends 20,000 messages to 50 readers of `keywire.v1` in one pipeline, to a gateway that was just
 * started; and lets the generator keep 20,000 in flight to 50 of its own, which reads faster than
 * readers here can.
 */
export async function measureBurst(
  bench: Bench,
  command: Command,
): Promise<Record<string, number>> {
  return { ...await measureRate(bench, command), cutOff: await countCutOff(bench, command) };
}

async function countCutOff({ redis }: Bench, command: Command): Promise<number> {
  await using gateway = await start(redis.port);
  await using backend = await openBackend(redis.url);
  const url = `ws://127.0.0.1:${gateway.port}/websocket?${keyOf(0)}`;
  const readers = await Promise.all(Array.from({ length: READERS }, () => connectReader(url)));
  const envelope = `{"recipients":["${keyOf(0)}"],"data":"${BODY}"}`;
  const pipeline = backend.redis.pipeline();
  for (let n = 0; n < MESSAGES; n++) {
    if (command === "publish") pipeline.publish("my_channel", envelope);
    else pipeline.xadd(STREAM, "*", "message", envelope);
  }
  await pipeline.exec();
  const isOver = () => readers.every((reader) => reader.closed || reader.messages >= MESSAGES);
  await waitFor("the readers to have all of it, or to be cut off", isOver, 120_000);
  const cutOff = readers.filter(({ closed }) => closed).length;
  for (const reader of readers) reader.socket.close();
  return cutOff;
}

async function measureRate(
  { generator, redis, redisPid, seconds }: Bench,
  command: Command,
): Promise<Record<string, number>> {
  await using gateway = await start(redis.port);
  const publish = command === "publish"
    ? publishOnChannel(redis.port)
    : addToStream(redis.port, STREAM);
  return figures(
    await generator.measure(
      { ...target(gateway), sockets: READERS, keys: 1, redisPid },
      {
        publishing: publish({ to: "topic" }),
        inFlight: MESSAGES,
        deliveries: READERS,
        sampleEvery: 10,
        warmup: WARMUP,
        seconds,
      },
    ),
  );
}

function start(redisPort: number) {
  return startGateway({ redisPort, keys: 1 }, V1, { REDIS_STREAM: STREAM });
}
