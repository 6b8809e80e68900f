/** What it is when 10,000 clients resume at once over a full window. */
import { openBackend } from "../support/redis_client.ts";
import { waitFor } from "../support/wait.ts";
import type { Bench } from "./bench.ts";
import { connectReader, type Reader } from "./reader.ts";
import { MANY } from "./scenario.ts";
import { startGateway, type Subject } from "./subjects/mod.ts";
import { V1 } from "./subjects/shapes.ts";
import { keyOf } from "./templates.ts";

/** Some 64 MiB as the window counts them: text of two bytes a character, and 256 bytes. */
const ENTRIES = 85_000;
const BODY = "x".repeat(200);
/** What clients have: the index takes its part of the window, which begins a little later by it. */
const HAD = 25_000;
/** What each client missed. */
const MISSED = Math.floor((ENTRIES - HAD) / MANY);
/** How many dial at once. */
const DIALLING = 500;
const LIVE_EVERY_MS = 20;
const STREAM = "storm";

/** Seconds until all clients are live, how long others waited at most, and the longest stall. */
export async function measureStorm({ redis }: Bench): Promise<Record<string, number>> {
  await using backend = await openBackend(redis.url);
  await backend.redis.del(STREAM);
  let after = "";
  for (let n = 0; n < ENTRIES;) {
    const pipeline = backend.redis.pipeline();
    for (let i = 0; i < 1_000; i++, n++) {
      const envelope = `{"recipients":["${keyOf(n % MANY)}"],"data":"${BODY}"}`;
      pipeline.xadd(STREAM, "*", "message", envelope);
    }
    const replies = await pipeline.exec();
    if (n === HAD) after = String(replies?.at(-1)?.[1]);
  }
  const env = { REDIS_STREAM: STREAM, REDIS_CHANNEL: "", HISTORY_SECONDS: "3600" };
  await using gateway = await startGateway({ redisPort: redis.port, keys: MANY + 1 }, V1, env);
  const url = `ws://127.0.0.1:${gateway.port}/websocket?`;
  const other = await connectReader(url + keyOf(MANY));
  let sentAt = 0, waitedMs = 0;
  other.socket.onmessage = () => waitedMs = Math.max(waitedMs, performance.now() - sentAt);
  // One client resumes alone: its index is built while the other one hears.
  const live = setInterval(() => {
    sentAt = performance.now();
    backend.redis.xadd(STREAM, "*", "message", `{"recipients":["${keyOf(MANY)}"]}`).catch(() => {});
  }, LIVE_EVERY_MS);
  using _live = { [Symbol.dispose]: () => clearInterval(live) };
  await new Promise((resolve) => setTimeout(resolve, 500));
  waitedMs = 0;
  const lone = await connectReader(`${url}${keyOf(1)}&after=${after}`);
  await waitFor("the first to have resumed", () => lone.messages >= MISSED, 60_000);
  const firstWaitMs = waitedMs;
  waitedMs = 0;
  const { seconds, readers } = await dialAll((index) => `${url}${keyOf(index)}&after=${after}`);
  const recovered = readers.filter(({ messages }) => messages >= MISSED).length;
  for (const { socket } of [...readers, lone, other]) socket.close();
  return { seconds, othersWaitMs: waitedMs, firstWaitMs, recovered };
}

/** Seconds that as many upgrades take of a server that does nothing else. */
export async function measureUpgrades(
  { redis }: Bench,
  subject: Subject,
): Promise<Record<string, number>> {
  await using running = await subject.start({ redisPort: redis.port, keys: MANY });
  const { seconds, readers } = await dialAll(
    (index) => `ws://127.0.0.1:${running.port}/websocket?${keyOf(index)}`,
    { isBare: true },
  );
  for (const { socket } of readers) socket.close();
  return { seconds };
}

async function dialAll(
  urlOf: (index: number) => string,
  { isBare = false }: { readonly isBare?: boolean } = {},
): Promise<{ seconds: number; readers: Reader[] }> {
  const start = performance.now();
  const readers: Reader[] = [];
  const numbers = Array(MANY).keys();
  await Promise.all(Array.from({ length: DIALLING }, async () => {
    for (const index of numbers) readers.push(await connectReader(urlOf(index), isBare));
  }));
  // Live is a client that has all that it missed.
  const isLive = ({ messages, closed }: Reader) => isBare || messages >= MISSED || closed;
  await waitFor("all to be live", () => readers.every(isLive), 120_000);
  return { seconds: (performance.now() - start) / 1000, readers };
}
