/** `deno task soak`: a gateway under a steady load for a while, and what its memory does meanwhile. */
import { startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { openBackend } from "../support/redis_client.ts";
import { say } from "../support/say.ts";
import { waitFor } from "../support/wait.ts";
import { heapAfterCollection } from "./heap_after_collection.ts";
import { Load, LOAD_KEYS } from "./load.ts";
import { memoryPlot } from "./memory_plot.ts";
import { Nuisances } from "./nuisances.ts";
import { readOptions } from "./options.ts";
import { type Series, trend } from "./trend.ts";

const SAMPLE_MS = 5_000;
const PLOT = new URL("memory.svg", import.meta.url);

const { minutes } = readOptions(Deno.args);
await using redis = await startRedis();
await using gateway = await startKeywire({
  REDIS_URL: redis.url,
  EMBEDDED_KEYS: LOAD_KEYS.join(","),
  MAX_CONNECTIONS_PER_KEY: "2000",
  HISTORY_BYTES: `${8 << 20}`, // filled within a minute, so that it is no part of what grows
  DENO_V8_FLAGS: "--trace-gc", // says what is left of the heap after each collection
});
await using backend = await openBackend(redis.url);
const before = await held();
const load = new Load(gateway, backend);
await load.start();
const nuisances = new Nuisances(gateway);
nuisances.start();

const rss: { at: number; value: number }[] = [];
const heap: { at: number; value: number }[] = [];
const start = performance.now();
for (let next = 0; next <= minutes * 60_000; next += SAMPLE_MS) {
  const waits = Math.max(0, start + next - performance.now());
  await new Promise((resolve) => setTimeout(resolve, waits));
  const status = await Deno.readTextFile(`/proc/${gateway.pid}/status`);
  const at = next / 1000;
  rss.push({ at, value: Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) / 1024 });
  const kept = heapAfterCollection(gateway.log);
  if (kept !== undefined) heap.push({ at, value: kept });
}
const perSecond = Math.round(load.delivered / (performance.now() - start) * 1000);
const title = `Memory over ${minutes} min at ${perSecond} deliveries/s`;
await Deno.writeTextFile(PLOT, memoryPlot(title, rss, heap));
await say(`${title}; ${load.changes} clients went and were followed by others`);
for (const [name, value] of await gateway.metrics()) {
  if (/connections|slots|gaps|dropped|refused|closed|lost/.test(name)) {
    await say(`${name} ${value}`);
  }
}
load[Symbol.dispose]();
await nuisances[Symbol.asyncDispose]();
await say(`Clients that no gateway wants: ${JSON.stringify(nuisances.counts)}`);
await reportHeld();
await report("resident", rss);
await report("V8's heap after full collections", heap);

/** What clients hold of the gateway: slots and descriptors. */
async function held(): Promise<{ slots: number; descriptors: number }> {
  const slots = (await gateway.metrics()).get("keywire_connection_slots_used") ?? NaN;
  let descriptors = 0;
  for await (const _ of Deno.readDir(`/proc/${gateway.pid}/fd`)) descriptors++;
  return { slots, descriptors };
}

/** Waits for all of it to be given back, but for some idle connections of the last requests. */
async function reportHeld(): Promise<void> {
  const isBack = async () => {
    const { slots, descriptors } = await held();
    return slots === before.slots && descriptors <= before.descriptors + 20;
  };
  const back = await waitFor("slots and descriptors", isBack, 60_000).catch(() => false);
  const { slots, descriptors } = await held();
  await say(
    `slots ${before.slots} before, ${slots} after; descriptors ${before.descriptors} before, ` +
      `${descriptors} after: ${back ? "given back" : "NOT given back"}`,
  );
  if (!back) Deno.exitCode = 1;
}

async function report(name: string, series: Series): Promise<void> {
  const { mean, rise, peaks, flat } = trend(series);
  await say(
    `${name}: ${mean.toFixed(1)} MB in the second half, in which it rose by ${
      rise.toFixed(1)
    } MB; ` +
      `at most ${peaks[0].toFixed(1)} MB in the first half and ${peaks[1].toFixed(1)} MB in the ` +
      `second: ${flat ? "flat" : "NOT flat"}`,
  );
  if (!flat) Deno.exitCode = 1;
}
