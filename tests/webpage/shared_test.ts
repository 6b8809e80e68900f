import { assert, assertEquals } from "@std/assert";
import { publish } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { Proxy } from "../support/proxy.ts";
import { waitFor } from "../support/wait.ts";
import { type Tab, Tabs } from "./tabs.ts";

const SHARED = '{ key: "a", shared: true, gapJitterMs: 0 }';

/** Publishes numbers until it is stopped, and tells how many. */
class Numbers {
  count = 0;
  readonly #gateway: KeywireProcess;
  #stopped = false;
  #running: Promise<void>;

  constructor(gateway: KeywireProcess) {
    this.#gateway = gateway;
    this.#running = this.#run();
  }

  async stop(): Promise<number> {
    this.#stopped = true;
    await this.#running;
    return this.count;
  }

  /** Waits until `count` more are published. */
  async more(count: number): Promise<void> {
    const until = this.count + count;
    await waitFor(`${count} more messages`, () => this.count >= until);
  }

  async #run() {
    while (!this.#stopped) {
      const { url } = this.#gateway;
      const response = await publish(url, { recipients: ["a"], n: this.count++ });
      await response.body?.cancel();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** The sockets and streams that the gateway has. */
async function connections(gateway: KeywireProcess): Promise<number> {
  let sum = 0;
  for (const [name, value] of await gateway.metrics()) {
    if (/^keywire_connections(\{|$)/.test(name)) sum += value;
  }
  return sum;
}

async function hasConnections(gateway: KeywireProcess, count: number): Promise<void> {
  await waitFor(`${count} connections`, async () => await connections(gateway) === count, 20_000);
}

/** Asserts that a tab heard each number once, in order, from its first one on. */
async function heardAll(tabs: Tabs, tab: Tab, count: number): Promise<void> {
  await tabs.hears(tab, count - 1);
  const { numbers, gaps } = await tabs.heard(tab);
  const first = numbers[0]!;
  assertEquals(numbers, Array.from({ length: count - first }, (_, n) => first + n));
  assertEquals(gaps, 0);
}

Deno.test("shared: the tabs of one key use one connection, and each hears everything", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "a,b" });
  await using tabs = await Tabs.launch();
  const first = await tabs.open(gateway.url, SHARED);
  await tabs.isOpen(first);
  const second = await tabs.open(gateway.url, SHARED);
  await tabs.isOpen(second);
  const third = await tabs.open(gateway.url, SHARED);
  await tabs.isOpen(third);
  await hasConnections(gateway, 1);
  const numbers = new Numbers(gateway);
  await numbers.more(50);
  const count = await numbers.stop();
  for (const tab of [first, second, third]) {
    await heardAll(tabs, tab, count);
    const { numbers, welcomes } = await tabs.heard(tab);
    assertEquals(numbers[0], 0);
    assertEquals(welcomes, 1);
  }
  assertEquals(await connections(gateway), 1);
});

/** How a leading tab goes. */
const ENDS: Record<string, (tab: Tab) => unknown> = {
  "is closed": ({ page }) => page.close(),
  "goes to another page": ({ page }) => page.goto("about:blank"),
  "closes its client": ({ page }) => page.evaluate("keywire.close()"),
  "crashes (kill -9 of its renderer)": ({ page, pid }) => {
    const crash = page.waitForEvent("crash");
    Deno.kill(pid, "SIGKILL");
    return crash;
  },
};

for (const [name, end] of Object.entries(ENDS)) {
  Deno.test(`shared: nothing is lost or doubled when the leading tab ${name}`, async () => {
    await using gateway = await startKeywire({ EMBEDDED_KEYS: "a,b" });
    await using tabs = await Tabs.launch();
    const leader = await tabs.open(gateway.url, SHARED);
    await tabs.isOpen(leader);
    const second = await tabs.open(gateway.url, SHARED);
    const third = await tabs.open(gateway.url, SHARED);
    await Promise.all([second, third].map((tab) => tabs.isOpen(tab)));
    assert(new Set([leader.pid, second.pid, third.pid]).size === 3, "each has its own process");
    const numbers = new Numbers(gateway);
    await numbers.more(30);
    await end(leader);
    await numbers.more(100);
    await hasConnections(gateway, 1);
    const count = await numbers.stop();
    for (const tab of [second, third]) await heardAll(tabs, tab, count);
  });
}

Deno.test("shared: a frozen leader is replaced, and hears everything once when it wakes", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "a,b" });
  await using tabs = await Tabs.launch();
  const leader = await tabs.open(gateway.url, SHARED);
  await tabs.isOpen(leader);
  const second = await tabs.open(gateway.url, SHARED);
  const third = await tabs.open(gateway.url, SHARED);
  await Promise.all([second, third].map((tab) => tabs.isOpen(tab)));
  const numbers = new Numbers(gateway);
  await numbers.more(30);
  Deno.kill(leader.pid, "SIGSTOP");
  try {
    let answers = false;
    leader.page.evaluate("1").then(() => answers = true, () => {});
    const frozenAt = numbers.count + 20; // what was published before may still be on its way
    await tabs.hears(second, frozenAt, 20_000);
    await tabs.hears(third, frozenAt, 20_000);
    await numbers.more(20);
    assert(!answers, "it was this tab that was frozen");
  } finally {
    Deno.kill(leader.pid, "SIGCONT");
  }
  await hasConnections(gateway, 1);
  await numbers.more(20);
  const count = await numbers.stop();
  for (const tab of [leader, second, third]) await heardAll(tabs, tab, count);
});

Deno.test("shared: nothing is lost or doubled when the connection breaks, again and again", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "a,b" });
  await using proxy = new Proxy(gateway.port);
  await using tabs = await Tabs.launch();
  const origin = `http://127.0.0.1:${proxy.port}`;
  const options = '{ key: "a", shared: true, gapJitterMs: 0, minDelayMs: 20, maxDelayMs: 100 }';
  const first = await tabs.open(origin, options);
  await tabs.isOpen(first);
  const second = await tabs.open(origin, options);
  await tabs.isOpen(second);
  const numbers = new Numbers(gateway);
  for (let breaks = 1; breaks <= 5; breaks++) {
    await numbers.more(15);
    proxy.cut();
    await waitFor("to be back", async () => (await tabs.heard(second)).welcomes > breaks);
  }
  const count = await numbers.stop();
  for (const tab of [first, second]) await heardAll(tabs, tab, count);
  await hasConnections(gateway, 1);
});

Deno.test("shared: tabs of another key, name or cursor hear for themselves", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "a,b,c" });
  await using tabs = await Tabs.launch();
  const first = await tabs.open(gateway.url, SHARED);
  await tabs.isOpen(first);
  const other = await tabs.open(gateway.url, '{ key: "b", shared: true }');
  await tabs.isOpen(other);
  await hasConnections(gateway, 2);
  const named = await tabs.open(gateway.url, '{ key: "a", shared: "user 1" }');
  await tabs.isOpen(named);
  await hasConnections(gateway, 3);
  const sameName = await tabs.open(gateway.url, '{ key: () => "c", shared: "user 1" }');
  await tabs.isOpen(sameName);
  const at = await first.page.evaluate("keywire.cursor");
  const own = await tabs.open(gateway.url, `{ key: "a", shared: true, cursor: "${at}" }`);
  await tabs.isOpen(own);
  await hasConnections(gateway, 4);
  const response = await publish(gateway.url, { recipients: ["a"], n: 1 });
  await response.body?.cancel();
  for (const tab of [first, named, sameName, own]) await tabs.hears(tab, 1);
  const last = await publish(gateway.url, { recipients: ["b"], n: 2 });
  await last.body?.cancel();
  await tabs.hears(other, 2);
  assertEquals((await tabs.heard(other)).numbers, [2]);
  assertEquals((await tabs.heard(sameName)).numbers, [1]);
});

Deno.test("shared: without Web Locks, or where they are denied, each page connects by itself", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "a" });
  await using tabs = await Tabs.launch();
  // A sandboxed frame has the locks, and each use of them fails.
  const around = await tabs.open(gateway.url, '{ key: "none" }');
  await around.page.goto(`${gateway.url}/health`); // a page that lets a frame run a script
  await around.page.evaluate(`{
    const frame = document.createElement("iframe");
    frame.sandbox.add("allow-scripts");
    frame.srcdoc = \`<script type="module">
      import { Keywire } from "${gateway.url}/keywire.js";
      new Keywire("${gateway.url}", ${SHARED});
    </script>\`;
    document.body.append(frame);
  }`);
  await hasConnections(gateway, 1);
  await around.page.close();
  await hasConnections(gateway, 0);
  await tabs.before("Object.defineProperty(navigator, 'locks', { value: undefined })");
  for (const count of [1, 2]) {
    await tabs.isOpen(await tabs.open(gateway.url, SHARED));
    await hasConnections(gateway, count);
  }
});

Deno.test("shared: a tab whose key is refused closes, and the next one tries its own", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "a" });
  await using tabs = await Tabs.launch();
  const refused = await tabs.open(gateway.url, '{ key: "unknown", shared: "user 1" }');
  await waitFor("the end", async () => (await tabs.heard(refused)).state === "closed");
  const leader = await tabs.open(gateway.url, '{ key: "a", shared: "user 1" }');
  await tabs.isOpen(leader);
  // It would be refused, but another page connects for both.
  const second = await tabs.open(gateway.url, '{ key: "unknown", shared: "user 1" }');
  await tabs.isOpen(second);
  await leader.page.close();
  await waitFor("the end", async () => (await tabs.heard(second)).state === "closed");
});
