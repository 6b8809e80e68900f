/**
 * `deno task test:package`: the packed client in a project of Vite and TypeScript, built and run in
 * Chromium. It takes what that project needs from npm, so it is no part of `deno task test`.
 */
import { assert, assertEquals } from "@std/assert";
import type { Page } from "playwright-core";
import { launchChromium } from "../support/chromium.ts";
import { publish } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { clientExamples } from "../webpage/examples.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const TYPES: Record<string, string> = {
  html: "text/html",
  js: "text/javascript",
};

/** The project in a directory of its own, with the client from its tarball. */
async function makeProject(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "keywire-package-" });
  await run(ROOT, "cp", "-r", "tests/package/project/.", path);
  await run(ROOT, "npm", "pack", "./webpage", "--pack-destination", path);
  const { version } = JSON.parse(await Deno.readTextFile(`${ROOT}/webpage/package.json`));
  await run(path, "npm", "ci", "--no-audit", "--no-fund");
  await run(path, "npm", "install", "--no-save", "--no-audit", `./keywire-${version}.tgz`);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

async function run(cwd: string, program: string, ...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args, cwd }).output();
  const text = new TextDecoder();
  if (!success) throw new Error(text.decode(stdout) + text.decode(stderr));
}

/** Serves what was built. */
function serveFiles(path: string): AsyncDisposable & { readonly url: string } {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const server = Deno.serve(options, async (request) => {
    const { pathname } = new URL(request.url);
    const file = await Deno.readFile(path + pathname).catch(() => undefined);
    // Browsers ask for an icon by themselves.
    if (file === undefined) return new Response(null, { status: 204 });
    return new Response(file, {
      headers: { "content-type": TYPES[pathname.split(".").at(-1)!] ?? "text/plain" },
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** Vite as a developer runs it. */
async function serveSources(path: string): Promise<AsyncDisposable & { readonly url: string }> {
  const port = freePort();
  const child = new Deno.Command("node", {
    args: ["node_modules/vite/bin/vite.js", "--host", "127.0.0.1", "--port", `${port}`],
    cwd: path,
    stdout: "null",
    stderr: "null",
  }).spawn();
  const url = `http://127.0.0.1:${port}`;
  const asyncDispose = async () => {
    child.kill("SIGKILL");
    await child.status;
  };
  try {
    await waitFor("Vite", async () => {
      const response = await fetch(`${url}/react.html`).catch(() => undefined);
      await response?.body?.cancel();
      return response?.ok;
    }, 30_000);
  } catch (error) {
    await asyncDispose();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: asyncDispose };
}

async function say(gateway: KeywireProcess, message: Record<string, unknown>): Promise<void> {
  const response = await publish(gateway.url, { recipients: ["demo"], ...message });
  await response.body?.cancel();
}

async function hasConnections(gateway: KeywireProcess, count: number): Promise<void> {
  await waitFor(`${count} connections`, async () => {
    let sum = 0;
    for (const [name, value] of await gateway.metrics()) {
      if (/^keywire_connections(\{|$)/.test(name)) sum += value;
    }
    return sum === count;
  });
}

async function shows(page: Page, text: string): Promise<void> {
  await page.getByText(text).first().waitFor();
}

/** The sockets that a page opens to the gateway. */
function socketsOf(page: Page, gateway: KeywireProcess): string[] {
  const urls: string[] = [];
  page.on("websocket", (socket) => {
    if (socket.url().includes(`:${gateway.port}/`)) urls.push(socket.url());
  });
  return urls;
}

Deno.test("The packed client in a project of Vite and TypeScript", async (test) => {
  await using project = await makeProject();
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "demo" });
  await using chromium = await launchChromium();
  const query = `?gateway=${encodeURIComponent(gateway.url)}`;

  await test.step("builds, and loads what it does not need only when asked", async () => {
    await run(project.path, "npm", "run", "build");
    const names: string[] = [];
    for await (const { name } of Deno.readDir(`${project.path}/dist/assets`)) names.push(name);
    for (const part of ["keywire_shared-", "keywire_debug-"]) {
      assert(names.some((name) => name.startsWith(part)), `${part} of ${names}`);
    }
  });

  await test.step("compiles every example of its manual", async () => {
    const examples = await clientExamples();
    assert(examples.some(({ code }) => code.includes("keywire/react")));
    for (const { name, code } of examples) {
      await Deno.writeTextFile(`${project.path}/src/example_${name}`, code);
    }
    await run(project.path, "node_modules/.bin/tsc", "--noEmit");
  });

  await test.step("two built tabs share one connection, and hear by a message's type", async () => {
    await using files = serveFiles(`${project.path}/dist`);
    const { page, complaints } = await chromium.open();
    const second = await page.context().newPage();
    for (const tab of [page, second]) {
      await tab.goto(`${files.url}/index.html${query}`);
      await shows(tab, "open");
    }
    await hasConnections(gateway, 1);
    await say(gateway, { type: "comment", text: "first" });
    await say(gateway, { type: "like", count: 1 });
    await say(gateway, { type: "comment", text: "second" });
    for (const tab of [page, second]) await shows(tab, "open first second");
    assertEquals(complaints, []);
    await page.context().close();
    await hasConnections(gateway, 0);
  });

  for (const name of ["react", "vue", "svelte"]) {
    await test.step(`${name}: one connection while it is shown, none behind`, async () => {
      await using files = serveFiles(`${project.path}/dist`);
      const { page, complaints } = await chromium.open();
      const sockets = socketsOf(page, gateway);
      await page.goto(`${files.url}/${name}.html${query}`);
      await shows(page, "open");
      await hasConnections(gateway, 1);
      await say(gateway, { type: "comment", text: `hello-${name}` });
      await shows(page, `open hello-${name}`);
      assertEquals(sockets.length, 1);
      if (name === "react") {
        await hasConnections(gateway, 1); // its title goes on to use it
        await page.goto("about:blank");
      } else await page.click("button");
      await hasConnections(gateway, 0);
      assertEquals(complaints, []);
      await page.context().close();
    });
  }

  await test.step("react: StrictMode and hot reload open one socket", async () => {
    await using sources = await serveSources(project.path);
    const { page } = await chromium.open();
    const sockets = socketsOf(page, gateway);
    await page.goto(`${sources.url}/react.html${query}`);
    await shows(page, "Before open");
    await say(gateway, { type: "like", count: 2 });
    await shows(page, "2 likes");
    await say(gateway, { type: "like", count: 3 });
    await shows(page, "5 likes"); // a stale listener would show 3
    const title = `${project.path}/src/title.tsx`;
    await Deno.writeTextFile(
      title,
      (await Deno.readTextFile(title)).replace("Before", "After"),
    );
    await shows(page, "After open");
    await shows(page, "5 likes"); // it was no reload of the page
    await page.click("button");
    await page.click("button");
    await shows(page, "0 likes");
    assertEquals(sockets.length, 1);
    await hasConnections(gateway, 1);
    await page.context().close();
  });
});
