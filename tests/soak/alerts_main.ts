/**
 * `deno task soak:alerts`: two nodes run as an operator runs them, with a deploy in the middle, while
 * Prometheus watches them by the rules of deploy/. No alert may fire.
 */
import { parseArgs } from "node:util";
import { MongoClient } from "mongodb";
import { startProxy } from "../deploy/proxies.ts";
import { NodeGroup } from "../deploy/node_group.ts";
import { startPrometheus } from "../faults/prometheus.ts";
import { startMongodb } from "../support/mongodb.ts";
import { openBackend } from "../support/redis_client.ts";
import { startRedis } from "../support/redis.ts";
import { say } from "../support/say.ts";
import { alertLine, alertRecords } from "./alert_spells.ts";
import { DAILY_KEYS, DailyLoad } from "./daily_load.ts";
import { MemoryLog } from "./memory_log.ts";

const { values: args } = parseArgs({
  options: { minutes: { type: "string", default: "60" } },
});
const minutes = Number(args.minutes);
if (!(minutes > 0)) throw new Error(`Cannot read --minutes: ${args.minutes} is no number above 0`);
/** As the head of alerts.yml recommends. */
const EVERY_SECONDS = 15;
const TOKEN = "alerts-".repeat(5);

await using redis = await startRedis({ appendonly: true });
await using mongodb = await startMongodb();
await using mongo = new MongoClient(mongodb.url);
await mongo.db("soak").collection<{ _id: string }>("keys").insertMany(
  DAILY_KEYS.map((_id) => ({ _id })),
);
await using group = await NodeGroup.start({
  REDIS_URL: redis.url,
  MONGODB_URL: mongodb.url,
  MONGODB_DATABASE: "soak",
  MONGODB_COLLECTION: "keys",
  API_TOKEN: TOKEN,
  HISTORY_BYTES: `${8 << 20}`, // filled within minutes, so that it is no part of what grows
  DENO_V8_FLAGS: "--trace-gc", // says what is left of the heap after each collection
});
await using proxy = await startProxy("haproxy", group);
await using backend = await openBackend(redis.url);
await using prometheus = await startPrometheus(
  group.nodes.map(({ internalUrl }) => internalUrl),
  { everySeconds: EVERY_SECONDS, waits: true },
);
let ready = 0;
await using load = new DailyLoad({
  url: proxy.url,
  port: proxy.port,
  apiUrl: () => group.nodes[ready]!.internalUrl,
  token: TOKEN,
  redis: backend.redis,
});
const start = Date.now() / 1000;
load.start();
using memory = new MemoryLog(() => group.nodes);
const machineLoads: number[] = [];
const loadTimer = setInterval(() => machineLoads.push(Deno.loadavg()[0]!), 10_000);
await until(minutes / 2);
await say(`Restarting both nodes, one after the other, at ${(minutes / 2).toFixed(1)} min`);
for (const index of [0, 1]) {
  ready = 1 - index;
  const { code } = await group.restart(index);
  if (code !== 0) await fail(`node ${index + 1} ended with exit code ${code}`);
  // As docs/deploying.md says: until the proxy has asked /ready again.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
}
await until(minutes);

clearInterval(loadTimer);
const passed = Date.now() / 1000 - start;
const range = `[${Math.ceil(passed)}s]`;
const perSecond = Math.round(load.counts.delivered / passed);
await say(`${(passed / 60).toFixed(1)} min at ${perSecond} deliveries/s to clients that read`);
const meanLoad = machineLoads.reduce((sum, one) => sum + one, 0) / machineLoads.length;
await say(
  `The machine's load: ${meanLoad.toFixed(1)} on average, at most ` +
    `${Math.max(...machineLoads).toFixed(1)}, on ${navigator.hardwareConcurrency} cores`,
);
await say(`Clients: ${JSON.stringify(load.counts)}`);
const rules = await prometheus.rules();
for (const { name, query, health } of rules) {
  if (health !== "ok") await fail(`${name} cannot be evaluated: ${health}`);
  for (const [metric] of query.matchAll(/\b(?:keywire|process)_\w+|\bup\b/g)) {
    // A rule is silent for nothing where its metric is absent.
    const series = await prometheus.ask(`count({__name__="${metric}", job="keywire"})`);
    if (series.length === 0) await fail(`${name} reads ${metric}, which no node has`);
  }
}
for (const { metric, at } of await prometheus.samples(`up{job="keywire"}${range}`)) {
  await say(`${metric.instance} was scraped ${at.length} times`);
  if (at.length < 0.9 * passed / EVERY_SECONDS - 1) await fail("too seldom to say anything");
}
const names = rules.map(({ name }) => name);
const alerts = await prometheus.samples(`ALERTS${range}`);
for (const record of alertRecords(names, alerts, EVERY_SECONDS)) {
  await say(alertLine(record, start));
  if (record.fired) await fail(`${record.name} fired`);
}
for (const { text, grows } of memory.report()) {
  await say(text);
  if (grows) await fail("memory grows");
}

async function until(minute: number): Promise<void> {
  const ms = (start + minute * 60) * 1000 - Date.now();
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

async function fail(reason: string): Promise<void> {
  await say(`FAILED: ${reason}`);
  Deno.exitCode = 1;
}
