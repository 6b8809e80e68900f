/**
 * `deno task ops:faults [folder]`: beside the node that serves the operators' page five more run; one
 * is killed, one frozen, one made deaf, one cut off from Redis, one told to stop. Prints after how many
 * seconds the page shows each as what it is, and how soon it shows that they are back; screenshots go
 * into the folder, where one is named.
 */
import type { Page } from "playwright-core";
import { launchChromium } from "../support/chromium.ts";
import { openSocket } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { Proxy } from "../support/proxy.ts";
import { startRedis } from "../support/redis.ts";
import { say } from "../support/say.ts";
import { openOps, shown, TOKEN } from "./ops_page.ts";

/** How soon the page must show what a node is, in seconds. */
const WITHIN_S = 10;
/** How long a freezing node, a started one or a screenshot may take beside, in milliseconds. */
const AT_MOST_MS = 60_000;
const CLIENTS = 25;
const VIEWS = [
  { width: 1280, height: 900, colorScheme: "light" },
  { width: 1280, height: 900, colorScheme: "dark" },
  { width: 768, height: 1024, colorScheme: "light" },
  { width: 390, height: 844, colorScheme: "dark" },
] as const;

const [folder] = Deno.args;
const redis = await startRedis();
await using stack = new AsyncDisposableStack();
stack.use(redis);
const [network, parted] = [stack.use(new Proxy(redis.port)), stack.use(new Proxy(redis.port))];
const env = { REDIS_URL: redis.url, API_TOKEN: TOKEN, DEMO: "1", HOST: "127.0.0.1" };
const start = async (port?: number) =>
  stack.use(await startKeywire({ ...env, ...port === undefined ? {} : { PORT: `${port}` } }));
const serving = await start();
const killed = await start();
const frozen = await start();
const behind = async ({ port }: Proxy) =>
  stack.use(await startKeywire({ ...env, REDIS_URL: `redis://127.0.0.1:${port}` }));
const deaf = await behind(network);
const cutOff = await behind(parted);
const drained = await start();
const nodes = [serving, killed, frozen, deaf, cutOff, drained];
await connectClients(nodes);
const chromium = stack.use(await launchChromium());
const { page } = await openOps(chromium, serving.url);
for (const { port } of nodes) await shown(page, { port, state: "ready" });
await picture("all_ready");

const rows: string[] = [];
let isSound = true;
await Promise.all([
  measure("killed (SIGKILL)", "gone", killed, () => killed.kill("SIGKILL")),
  measure("frozen (SIGSTOP)", "frozen", frozen, () => frozen.kill("SIGSTOP")),
  measure("made deaf (its SUBSCRIBE leads nowhere)", "deaf", deaf, () => {
    network.rewrite((request) =>
      request.includes("subscribe\r\n")
        ? request.replace("my_channel", "no_channel").replace(":control", ":silence")
        : request
    );
    network.cut();
  }),
  measure("cut off from Redis (no byte passes)", "cut_off", cutOff, () => parted.hold()),
  measure("told to stop (SIGTERM)", "draining", drained, () => drained.kill("SIGTERM")),
]);
await shown(page, { port: drained.port, state: "stopped" });
await picture("one_of_each");
await Promise.all([
  measure("started again", "ready", killed, () => void start(killed.port)),
  measure("goes on (SIGCONT)", "ready", frozen, () => frozen.kill("SIGCONT"), false),
  measure("reaches Redis again", "ready", cutOff, () => parted.release(), false),
  measure("hears again", "ready", deaf, () => network.rewrite(), false),
]);
await say(["| a node that is | is shown as | after |", "| --- | --- | --- |", ...rows].join("\n"));
await page.context().close();
await stack.disposeAsync();
Deno.exit(isSound ? 0 : 1);

/** Does something to a node, and measures when the page shows that. */
async function measure(
  what: string,
  state: string,
  { port }: KeywireProcess,
  does: () => void,
  isBound = true,
): Promise<void> {
  const began = performance.now();
  does();
  const help = await shown(page, { port, state, timeout: AT_MOST_MS });
  const seconds = (performance.now() - began) / 1000;
  rows.push(`| ${what} | ${state} | ${seconds.toFixed(1)} s |`);
  if (help !== "") await say(`${state}: ${help}`);
  if (isBound && state !== "ready") isSound &&= seconds <= WITHIN_S;
}

/** Some clients of each node, and something to show: messages, refusals, malformed envelopes. */
async function connectClients(all: readonly KeywireProcess[]): Promise<void> {
  for (const [at, { url }] of all.entries()) {
    for (let count = 0; count < CLIENTS * (at + 1) / 2; count++) {
      stack.use(await openSocket(url, "demo", { v1: true }));
    }
    await fetch(`${url}/events?stranger`).then(({ body }) => body?.cancel());
  }
  await redis.tell("PUBLISH", "my_channel", '{"recipients":[42],"note":"not strings"}');
  const messages = setInterval(() => {
    redis.tell("XADD", "my_stream", "*", "message", '{"recipients":["demo"]}').catch(() => {});
  }, 50);
  stack.defer(() => clearInterval(messages));
}

async function picture(name: string): Promise<void> {
  if (folder === undefined) return;
  await Deno.mkdir(folder, { recursive: true });
  for (const view of VIEWS) {
    const { page } = await openOps(chromium, serving.url, view);
    const path = `${folder}/${name}_${view.width}_${view.colorScheme}.png`;
    await settle(page);
    await page.screenshot({ path, fullPage: true });
    await page.context().close();
  }
}

/** Waits until the page has drawn its plots. */
async function settle(page: Page): Promise<void> {
  await page.locator(".plot canvas").nth(5).waitFor();
  await page.locator("#age", { hasText: "As of" }).waitFor();
}
