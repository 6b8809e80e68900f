import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { type Chromium, launchChromium } from "../support/chromium.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { Proxy } from "../support/proxy.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { shows } from "../support/shows.ts";
import { freePort } from "../support/wait.ts";
import { connect, inState, row, visit } from "./listener_page.ts";
import { Serials } from "./serials.ts";

const CAUGHT_UP = "caught up, nothing lost";
const LOST_LINE = "The connection was lost";
const MISSED = "May have missed messages";
const KEYS = ["cut", "half-open", "killed", "stripped", "swallowed", "offline", "restarted"];

/** What the cases share: each has a key, a page and a proxy before the node of its own. */
interface Stage {
  readonly redis: RedisServer;
  readonly node: KeywireProcess;
  readonly chromium: Chromium;
}

/** A page that listens through a proxy, while a backend appends serial numbers for it. */
interface Listening extends AsyncDisposable {
  readonly page: Page;
  readonly proxy: Proxy;
  readonly serials: Serials;
}

const CASES: Record<string, (stage: Stage) => Promise<void>> = {
  "catches up after seconds without a network": async (stage) => {
    await using line = await listen(stage, "cut");
    const { page, proxy, serials } = line;
    proxy.refuse();
    await row(page, LOST_LINE);
    await serials.more(20);
    proxy.accept();
    await caughtUp(line);
    await shows(page.locator("#transport"), "WebSocket");
  },

  "catches up where its connection was half-open, and another network came": async (stage) => {
    await using line = await listen(stage, "half-open");
    const { page, proxy, serials } = line;
    proxy.hold();
    await serials.more(10);
    assertEquals(await page.evaluate("document.body.dataset.state"), "open");
    await page.context().setOffline(true);
    await page.context().setOffline(false); // whatever answers from here on took another way
    await row(page, LOST_LINE);
    proxy.release();
    await caughtUp(line);
  },

  "catches up on another node behind the same address when its own is killed": async (stage) => {
    await using node = await startKeywire(env(stage.redis));
    await using line = await listen({ ...stage, node }, "killed");
    const { page, proxy, serials } = line;
    node.kill();
    await row(page, LOST_LINE);
    await serials.more(10);
    proxy.target = stage.node.port;
    await caughtUp(line);
  },

  "falls back to SSE where upgrades do not get through, catches up by it, and moves on": async (
    stage,
  ) => {
    await using line = await listen(stage, "stripped", {
      block: (request) => request.replace(/^(?:Upgrade: websocket|Connection: Upgrade)\r\n/gm, ""),
    });
    const { page, proxy, serials } = line;
    await shows(page.locator("#transport"), "SSE");
    proxy.cut();
    await row(page, CAUGHT_UP);
    proxy.rewrite();
    // Where the network changes, a WebSocket may get through at once.
    await page.context().setOffline(true);
    await page.context().setOffline(false);
    await shows(page.locator("#transport"), "WebSocket");
    await serials.more(5);
    await complete(line);
    assertEquals(await page.locator("#list .lost").count(), 0);
  },

  "falls back to SSE where requests for a WebSocket are swallowed": async (
    stage,
  ) => {
    await using line = await listen(stage, "swallowed", {
      block: (request) => isUpgrade(request) ? "" : request,
    });
    const { page, serials } = line;
    await shows(page.locator("#transport"), "SSE");
    await serials.more(5);
    await complete(line);
  },

  "says that its browser is offline, and catches up then": async (stage) => {
    await using line = await listen(stage, "offline");
    const { page, proxy, serials } = line;
    // A browser that is made to be offline may keep the end of a connection from its page.
    proxy.refuse();
    await inState(page, "waiting");
    await page.context().setOffline(true);
    await inState(page, "offline");
    proxy.accept();
    await shows(page.locator("#state"), "Offline");
    await serials.more(20);
    assertEquals(proxy.connections, 0);
    await page.context().setOffline(false);
    await caughtUp(line);
  },

  "says that it may have missed messages where its node and Redis lost them": async (stage) => {
    await using redis = await startRedis();
    const settings = { ...env(redis), PORT: String(freePort()) };
    await using first = await startKeywire(settings);
    await using line = await listen({ ...stage, redis, node: first }, "restarted");
    const { page, serials } = line;
    first.kill();
    await row(page, LOST_LINE);
    await serials.more(3);
    await redis.tell("FLUSHALL");
    await first.ended;
    await using _second = await startKeywire(settings);
    await row(page, MISSED);
    await serials.more(3);
    const last = await serials.end();
    await row(page, `{"n":${last}}`);
    assertEquals(await page.locator("#list li", { hasText: CAUGHT_UP }).count(), 0);
    const seen = await serialsOn(page);
    assert(seen.length <= last, "nothing was lost");
    assertEquals(seen, [...new Set(seen)].sort((a, b) => a - b));
  },
};

Deno.test("A page whose line, or node, fails", async (t) => {
  await using redis = await startRedis();
  await using node = await startKeywire(env(redis));
  await using chromium = await launchChromium();
  const steps = Object.entries(CASES).map(([name, run]) =>
    t.step({
      name,
      fn: () => run({ redis, node, chromium }),
      // They run at the same time; the test as a whole is watched.
      sanitizeOps: false,
      sanitizeResources: false,
      sanitizeExit: false,
    })
  );
  await Promise.all(steps);
});

function env(redis: RedisServer): Record<string, string> {
  return { REDIS_URL: redis.url, EMBEDDED_KEYS: KEYS.join() };
}

/** Opens a page that listens as `key`; `block` is what is done to its requests from the beginning. */
async function listen(
  { redis, node, chromium }: Stage,
  key: string,
  { block }: { block?: (request: string) => string } = {},
): Promise<Listening> {
  const proxy = new Proxy(node.port);
  if (block) proxy.rewrite(block);
  const { page } = await chromium.open();
  page.setDefaultTimeout(45_000);
  await visit(page, `http://127.0.0.1:${proxy.port}`);
  await connect(page, key, "auto");
  const serials = new Serials(redis, key);
  await serials.more(3);
  await row(page, `{"n":2}`);
  return {
    page,
    proxy,
    serials,
    async [Symbol.asyncDispose]() {
      await serials.end();
      await page.context().close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

/** Waits until the page says that nothing was lost, and compares that with what it lists. */
async function caughtUp(line: Listening): Promise<void> {
  const { page, serials } = line;
  await row(page, CAUGHT_UP);
  await inState(page, "open");
  await serials.more(5);
  await complete(line);
  assertEquals(await page.locator("#list li", { hasText: MISSED }).count(), 0);
}

/** Ends the backend, and asserts that the page lists each of its serial numbers once, in order. */
async function complete({ page, serials }: Listening): Promise<void> {
  const last = await serials.end();
  await row(page, `{"n":${last}}`);
  assertEquals(await serialsOn(page), Array.from({ length: last + 1 }, (_, n) => n));
  await shows(page.locator("#count"), String(last + 1));
}

/** The serial numbers that the page lists, the oldest first. */
async function serialsOn(page: Page): Promise<number[]> {
  const texts = await page.locator("#list code").allTextContents();
  return texts.map((text) => JSON.parse(text).n).reverse();
}

function isUpgrade(request: string): boolean {
  return /^Upgrade: websocket\r$/m.test(request);
}
