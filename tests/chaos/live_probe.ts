/**
 * A worker that measures live delivery, on an event loop of its own: it appends a message every
 * 10 ms and hears it back through a node. Told `{ redisPort, url, key }` it begins; told `take` it
 * answers with the milliseconds that each message took since it was last asked.
 */
import { Redis } from "ioredis";
import { openSocket } from "../support/clients.ts";

const EVERY_MS = 10;

const worker = self as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
};

let took: number[] = [];

worker.onmessage = async ({ data }) => {
  if (data === "take") {
    worker.postMessage(took);
    took = [];
    return;
  }
  const redis = new Redis({ host: "127.0.0.1", port: data.redisPort });
  const { socket } = await openSocket(data.url, data.key);
  const sent = new Map<number, number>();
  socket.onmessage = ({ data }) => {
    const { n } = JSON.parse(data);
    took.push(performance.now() - sent.get(n)!);
    sent.delete(n);
  };
  let count = 0;
  setInterval(() => {
    sent.set(++count, performance.now());
    const envelope = JSON.stringify({ recipients: [data.key], n: count });
    redis.xadd("my_stream", "*", "message", envelope);
  }, EVERY_MS);
};
