/**
 * `deno task test:examples`: starts each example by the line of its README, in a copy of the
 * repository, and uses it as a person does. It takes what they need from npm and PyPI, so it is no
 * part of `deno task test`.
 */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Page } from "playwright-core";
import { becomes } from "../support/becomes.ts";
import { launchChromium } from "../support/chromium.ts";
import { MarkdownPage } from "../support/markdown.ts";
import { startRedis } from "../support/redis.ts";
import { Shell } from "../support/shell.ts";
import { freePort, waitFor } from "../support/wait.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** Files that hold no code of the example's own. */
const OF_TOOLS = ["package.json", "tsconfig.json", "requirements.txt", ".npmrc"];
const DISCONNECT = `curl -fsS URL/api/disconnect -H "Authorization: Bearer $API_TOKEN" \
  -H 'Content-Type: application/json' -d '{"recipients":["demo"]}'`;

Deno.test("examples: each is under 100 lines", async () => {
  const lines = new Map<string, number>();
  const files = new Deno.Command("git", { args: ["ls-files", "examples"], cwd: ROOT });
  const names = new TextDecoder().decode((await files.output()).stdout).trim().split("\n");
  for (const name of names) {
    const [, example, ...path] = name.split("/");
    if (path.length === 0 || OF_TOOLS.includes(path.at(-1)!)) continue;
    const text = await Deno.readTextFile(ROOT + name);
    lines.set(example!, (lines.get(example!) ?? 0) + text.split("\n").length - 1);
  }
  assertEquals([...lines.keys()], ["express", "fastapi", "fastify", "plain", "react", "shell"]);
  for (const [example, count] of lines) assert(count < 100, `${example} has ${count} lines`);
});

Deno.test("examples: each does what its page says", async (t) => {
  const readme = new MarkdownPage("examples/README.md");
  const exports = readme.take("sh", "export");
  const cwd = await Deno.makeTempDir({ prefix: "keywire-examples-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(cwd, { recursive: true }));
  const redis = stack.use(await startRedis());
  const port = freePort();
  const url = `http://localhost:${port}`;

  /** A shell with what the page exports, for something that listens on `PORT`. */
  function shellOn(PORT: number, addresses: Record<string, string> = {}, folder = cwd): Shell {
    const servers = { "redis://localhost:6379": redis.url, ...addresses };
    const env = { PORT: `${PORT}`, KEYWIRE_URL: url };
    // npm and pip take long on a busy machine.
    const shell = new Shell({ cwd: folder, addresses: servers, env, startMs: 240_000 });
    shell.paste(exports);
    return shell;
  }

  await shellOn(0).run(
    `tar -C ${ROOT} --exclude node_modules --exclude .venv -c examples webpage clients | tar -x`,
  );
  const gateway = stack.use(
    await shellOn(port, {}, ROOT).start(readme.take("sh", "deno task"), "Connected to Redis"),
  );
  const outages = () => gateway.output.split("is well again").length - 1;
  const chromium = stack.use(await launchChromium());
  const complaints = new Map<string, readonly string[]>();

  /** A window that shows nothing yet. */
  async function openWindow(name: string): Promise<Page> {
    const opened = await chromium.open();
    complaints.set(`${complaints.size} ${name}`, opened.complaints);
    return opened.page;
  }

  async function open(address: string): Promise<Page> {
    const page = await openWindow(address);
    await page.goto(address);
    return page;
  }

  /** A window to which keywire.js does not come before `release` is called. */
  async function openEarly(address: string): Promise<{ page: Page; release: () => void }> {
    const page = await openWindow(address);
    const { promise, resolve } = Promise.withResolvers<void>();
    await page.route("**/keywire.js", async (route) => {
      await promise;
      await route.continue();
    });
    await page.goto(address, { waitUntil: "domcontentloaded" });
    return { page, release: resolve };
  }

  function noComplaints(): void {
    for (const [address, said] of complaints) assertEquals(said, [], address);
  }

  await t.step("plain and shell: the page shows each step of a job, and its failure", async () => {
    const page = await open(`file://${cwd}/examples/plain/index.html?gateway=${url}`);
    await page.getByText("connected", { exact: true }).waitFor();
    const line = readme.take("sh", "progress.sh");
    await shellOn(0).run(line);
    await page.getByText("3 of 3").waitFor();
    await lists(page, ["sleep 1", 'echo "half way"', "sleep 1"]);

    const steps = `'echo "\\\\\\\\" # <b>ü\t"' 'exit 3' 'echo never'`;
    const failing = line.replace(/'sleep 1'.*(?= \|)/, steps);
    await assertRejects(() => shellOn(0).run(failing));
    await page.getByText("failed: exit 3").waitFor();
    await lists(page, ['echo "\\\\\\\\" # <b>ü "', "exit 3"]);
  });

  const express = freePort();
  const windows: Page[] = [];
  const comments = ["</script><b>first"]; // what the windows have to show
  await t.step(
    "express: every window shows each comment once, whenever it was loaded",
    async () => {
      const shell = shellOn(express);
      stack.use(await shell.start(readme.take("sh", "examples/express"), "Comments on"));
      const address = `http://localhost:${express}/`;
      const early = await openEarly(address);
      const pages = [early.page, await open(address)];
      await comment(early.page, "</script><b>first");
      early.release();
      for (const page of pages) await lists(page, ["</script><b>first"]);

      const texts = Array.from({ length: 100 }, (_, n) => `comment ${n}`);
      const posting = (async () => {
        for (const text of texts) {
          const headers = { "Content-Type": "application/json" };
          const body = JSON.stringify({ text });
          const response = await fetch(`${address}comments`, { method: "POST", headers, body });
          await response.body?.cancel();
          assertEquals(response.status, 201);
        }
      })();
      for (let n = 0; n < 4; n++) pages.push(await open(address)); // in the middle of it
      await posting;
      comments.push(...texts);
      for (const page of pages) await lists(page, comments);
    },
  );

  await t.step("react: shows the same comments, sends, and builds", async () => {
    const line = readme.take("sh", "examples/react");
    const own = freePort();
    const shell = shellOn(own);
    shell.paste(`export BACKEND_URL=http://localhost:${express}\n`);
    stack.use(await shell.start(line, "ready in"));
    const others = await open(`http://localhost:${express}/`);
    const page = await open(`http://localhost:${own}/`);
    await page.getByText("Comments (open)").waitFor();
    windows.push(page, others);
    for (const window of windows) {
      comments.push(`number ${comments.length}`);
      await comment(window, comments.at(-1)!);
      for (const one of windows) await lists(one, comments);
    }
    await shell.run("npm run build", `${cwd}/examples/react`);
  });

  await t.step("react and express: load their state anew when Redis lost its data", async () => {
    const loading = windows.map((page) =>
      page.waitForResponse((response) => /(\/comments|:\d+\/)$/.test(response.url()), {
        timeout: 60_000,
      })
    );
    noComplaints();
    const before = outages();
    await redis.kill(); // it has nothing on disk
    await redis.start();
    await Promise.all(loading);
    // Before, another gap may come, and a page that loads anew loses what is being typed.
    await waitFor("the gateway to be well again", () => outages() > before, 60_000);
    for (const page of windows) await lists(page, comments);
    comments.push("after the gap");
    await comment(windows[0]!, comments.at(-1)!);
    for (const page of windows) await lists(page, comments);
    // Chromium complains of a socket that a page leaves while it connects, when a second gap comes.
    complaints.clear();
  });

  await t.step("fastify: a page that is loaded in the middle of a job sees its end", async () => {
    const own = freePort();
    stack.use(await shellOn(own).start(readme.take("sh", "examples/fastify"), "Server listening"));
    const address = `http://localhost:${own}/`;
    const before = outages();
    await redis.kill();
    await redis.start(); // its stream is empty, and another one than before
    // Not by /ready: a busy gateway may not know yet that Redis was gone, and tells a gap later.
    await waitFor("the gateway to be well again", () => outages() > before, 60_000);
    const { page: first, release } = await openEarly(address);
    await first.evaluate("globalThis.isFirstLoad = true");
    // A window takes longer to open than the job takes, where the machine is busy.
    const second = await openWindow(address);
    await first.getByRole("button").click();
    release();
    await waitFor("the first steps", async () => await progress(first) > 0, 60_000);
    await second.goto(address, { waitUntil: "commit" });
    await second.locator("#state").waitFor({ state: "attached" });
    const printed = 'JSON.parse(document.getElementById("state").textContent).jobs[0].done';
    const begin = await second.evaluate<number>(printed);
    assert(begin > 0 && begin < 50, `it was loaded at ${begin}`);
    for (const page of [first, second]) {
      await waitFor("the end of the job", async () => await progress(page) === 50, 60_000);
    }
    assert(await first.evaluate("isFirstLoad"), "it was loaded anew though nothing was lost");
  });

  await t.step(
    "fastapi: each process has the price that another one set, after a restart and a refusal, too",
    async () => {
      const line = readme.take("sh", "examples/fastapi");
      const start = async (own: number) => {
        const shell = shellOn(own);
        return await shell.start(`${line.trim()} --port ${own}`, "Uvicorn running on");
      };
      const ports = [freePort(), freePort()] as const;
      stack.use(await start(ports[0]));
      {
        await using _second = await start(ports[1]);
        for (const [price, [from, to]] of [[1.5, ports], [2, [ports[1], ports[0]]]] as const) {
          await setPrice(from, price);
          for (const one of [from, to]) await hasPrice(one, price);
        }
      }
      await setPrice(ports[0], 3);
      await using again = await start(ports[1]);
      await hasPrice(ports[1], 3);
      await setPrice(ports[0], 4);
      await hasPrice(ports[1], 4);

      noComplaints();
      complaints.clear(); // the pages are disconnected, too
      await shellOn(0).run(DISCONNECT.replace("URL", url));
      await waitFor("the refusal", () => again.output.includes("4403: revoked"));
      await setPrice(ports[0], 5);
      await hasPrice(ports[1], 5);
    },
  );

  noComplaints();
  assertEquals(readme.left, []);
});

/** Sends a comment by the form of a page. */
async function comment(page: Page, text: string): Promise<void> {
  await page.getByLabel("Your comment").fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

/** Waits until the page's list is `texts`, each once and in order. */
async function lists(page: Page, texts: readonly string[]): Promise<void> {
  // There is no list while the page loads.
  const shown = () => page.locator("li").allTextContents().catch((): string[] => []);
  await becomes<readonly string[]>(shown, texts, { timeoutMs: 30_000 });
}

/** How far the job of a page is. */
function progress(page: Page): Promise<number> {
  return page.evaluate('document.querySelector("progress")?.value ?? 0');
}

async function setPrice(port: number, price: number): Promise<void> {
  const address = `http://127.0.0.1:${port}/prices/tea?price=${price}`;
  const response = await fetch(address, { method: "PUT" });
  await response.body?.cancel();
  assertEquals(response.status, 202);
}

async function priceAt(port: number): Promise<unknown> {
  return await (await fetch(`http://127.0.0.1:${port}/prices/tea`)).json();
}

async function hasPrice(port: number, price: number): Promise<void> {
  await waitFor(`the price ${price}`, async () => await priceAt(port) === price);
}
