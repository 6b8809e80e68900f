/**
 * `deno task soak`: connections come and go for ten minutes (`--minutes`) under 5,000 deliveries a
 * second. Writes the memory of the gateway to `memory.svg`, and says whether it is flat.
 */
import { parseArgs } from "node:util";
import { openEvents, openSocket } from "../services/clients.ts";
import { startKeywire } from "../services/gateway.ts";
import { startRedis } from "../services/redis.ts";
import { openBackend } from "../services/redis_client.ts";
import { say } from "../services/say.ts";
import { plotMemory, type Sample } from "./plot_memory.ts";

const CLIENTS = 300;
const DELIVERIES_PER_SECOND = 5_000;
const SLOW = 3;
const SAMPLE_MS = 5_000;
/** So much of the second half may be growth, in MB a minute. */
const FLAT = 0.5;

const { values } = parseArgs({
  args: Deno.args,
  options: { minutes: { type: "string", default: "10" } },
});
const endsAt = performance.now() + Number(values.minutes) * 60_000;
const running = () => performance.now() < endsAt;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

await using redis = await startRedis();
await using gateway = await startKeywire({
  REDIS_URL: redis.url,
  EMBEDDED_KEYS: "room,slow",
  HISTORY_SECONDS: "60",
  MAX_CONNECTIONS_PER_KEY: "10000",
});
await using backend = await openBackend(redis.url);
const samples: Sample[] = [];
let connects = 0;

await Promise.all([publish(), sample(), ...Array.from({ length: CLIENTS }, comeAndGo), beSlow()]);

const { deliveries, zombies } = await totals();
const half = samples.slice(samples.length / 2);
const slope = slopePerMinute(half);
await Deno.writeTextFile(new URL("./memory.svg", import.meta.url), plotMemory(samples));
await say(
  `${values.minutes} minutes, ${connects} connects, ${deliveries} deliveries, ${zombies} places ` +
    `taken at the end; resident ${half[0]!.mb.toFixed(1)} MB at half time and ` +
    `${half.at(-1)!.mb.toFixed(1)} MB at the end: ${slope.toFixed(2)} MB a minute, ` +
    `${Math.abs(slope) < FLAT || slope < 0 ? "flat" : "NOT FLAT"}`,
);
Deno.exitCode = slope < FLAT ? 0 : 1; // not Deno.exit, which would leave the servers running

/** One client after the other in the same place, each for a while, by one transport or another. */
async function comeAndGo(_: unknown, index: number): Promise<void> {
  while (running()) {
    connects++;
    using _client = index % 3 === 0
      ? await openEvents(gateway.url, "room")
      : await openSocket(gateway.url, "room", { v1: index % 3 === 1 });
    await sleep(Math.min(2_000 + Math.random() * 58_000, Math.max(0, endsAt - performance.now())));
  }
}

/** Clients that never read, and are replaced when they are cut off. */
async function beSlow(): Promise<void> {
  const key = "slow";
  const request = `GET /websocket?${key} HTTP/1.1\r\nHost: soak\r\nConnection: Upgrade\r\n` +
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: keywire.v1\r\n\r\n";
  while (running()) {
    const slow = await Promise.all(Array.from({ length: SLOW }, async () => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: gateway.port });
      await connection.write(new TextEncoder().encode(request));
      return connection;
    }));
    await sleep(Math.min(45_000, Math.max(0, endsAt - performance.now())));
    for (const connection of slow) connection.close();
  }
}

async function publish(): Promise<void> {
  const data = "x".repeat(200);
  const everyMs = 1000 * CLIENTS / DELIVERIES_PER_SECOND;
  for (let n = 0, due = performance.now(); running(); n++) {
    const source = n % 2 ? "xadd" : "publish";
    const envelope = JSON.stringify({ recipients: ["room"], n, data });
    if (source === "publish") await backend.redis.publish("my_channel", envelope);
    else await backend.redis.xadd("my_stream", "MAXLEN", "~", 1000, "*", "message", envelope);
    const flood = JSON.stringify({ recipients: ["slow"], data: "x".repeat(8_000) });
    await backend.redis.publish("my_channel", flood);
    await sleep(Math.max(0, (due += everyMs) - performance.now()));
  }
}

async function sample(): Promise<void> {
  const start = performance.now();
  while (running()) {
    const status = await Deno.readTextFile(`/proc/${gateway.pid}/status`);
    samples.push({
      minute: (performance.now() - start) / 60_000,
      mb: Number(/VmRSS:\s*(\d+)/.exec(status)![1]) / 1024,
    });
    await sleep(SAMPLE_MS);
  }
}

async function totals(): Promise<{ deliveries: number; zombies: number }> {
  const metrics = await gateway.metrics();
  return {
    deliveries: metrics.get("keywire_deliveries_total") ?? NaN,
    zombies: metrics.get("keywire_places_taken") ?? NaN,
  };
}

/** The slope of the line that fits best. */
function slopePerMinute(points: readonly Sample[]): number {
  const mean = (of: (point: Sample) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [minute, mb] = [mean((point) => point.minute), mean((point) => point.mb)];
  return mean((point) => (point.minute - minute) * (point.mb - mb)) /
    mean((point) => (point.minute - minute) ** 2);
}
