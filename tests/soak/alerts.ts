/**
 * `deno task soak:alerts`: two nodes live through an hour as good ones are, with a deploy in it, and a
 * Prometheus as operators run it watches them: every alert must stay silent.
 */
import { setTimeout as delay } from "node:timers/promises";
import { alertNames, SCRAPE_SECONDS, startPrometheus } from "../faults/prometheus.ts";
import { Stage } from "../faults/stage.ts";
import { ensureMongodb } from "../support/mongodb.ts";
import { openBackend } from "../support/redis_client.ts";
import { say } from "../support/say.ts";
import { alertTimes } from "./alert_times.ts";
import { Load } from "./load.ts";
import { Nuisances } from "./nuisances.ts";
import { readOptions } from "./options.ts";
import { type Series, trend } from "./trend.ts";

const SAMPLE_MS = 5_000;
/** When the deploy begins, as a share of the time. */
const DEPLOY_AT = 0.1;

const { minutes } = readOptions(Deno.args, 60);
await ensureMongodb();
await using stage = await Stage.open({ mongodb: true, nodes: 2, env: { LOG_LEVEL: "warning" } });
await using prometheus = await startPrometheus(stage.nodes.map(({ url }) => url), {
  patient: true,
});
await using backend = await openBackend(stage.bus.url);
await using parts = new AsyncDisposableStack();
const loads: Load[] = [];
for (const node of stage.nodes) {
  // No client that never reads: the gateway cuts those off, and then an alert is right.
  const load = parts.use(new Load(node, backend, { messagesPerSecond: 2, slowClients: 0 }));
  await load.start();
  loads.push(load);
  parts.use(new Nuisances(node)).startHarmless();
}

const start = performance.now();
const isDue = (share: number) => performance.now() - start >= share * minutes * 60_000;
while (!isDue(DEPLOY_AT)) await delay(SAMPLE_MS);
for (const index of stage.nodes.keys()) {
  stage.nodes[index]!.kill("SIGTERM");
  await stage.restart({ index });
}
await say("Both nodes were restarted, one after the other");

const memory: { at: number; value: number }[][] = stage.nodes.map(() => []);
while (!isDue(1)) {
  await delay(SAMPLE_MS);
  for (const [index, { pid }] of stage.nodes.entries()) {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const value = Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) / 1024;
    memory[index]!.push({ at: (performance.now() - start) / 1000, value });
  }
}

const sum = (of: (load: Load) => number) => loads.reduce((total, load) => total + of(load), 0);
const perSecond = Math.round(sum((load) => load.delivered) / (minutes * 60));
await say(
  `${minutes} min, two nodes, ${perSecond} deliveries/s; ` +
    `${sum((load) => load.changes)} clients went and were followed by others, of which ` +
    `${sum((load) => load.failures)} came again later, as their node restarted`,
);
const seen = await prometheus.ask(
  `sum by (alertname, alertstate) (count_over_time(ALERTS[${minutes + 5}m]))`,
);
const times = alertTimes(await alertNames(), seen, SCRAPE_SECONDS);
for (const { name, pending, firing } of times) {
  const was = [pending && `pending for ${pending} s`, firing && `FIRED for ${firing} s`];
  await say(`${name}: ${was.filter(Boolean).join(", ") || "silent"}`);
}
for (const [index, series] of memory.entries()) await reportMemory(index + 1, series);
if (times.some(({ firing }) => firing > 0)) Deno.exitCode = 1;

async function reportMemory(node: number, series: Series): Promise<void> {
  const { mean, rise, flat } = trend(series);
  const figures = `${mean.toFixed(1)} MB in the second half, in which it rose by ${
    rise.toFixed(1)
  }`;
  await say(`node ${node}: resident ${figures} MB: ${flat ? "flat" : "NOT flat"}`);
  if (!flat) Deno.exitCode = 1;
}
