/** Follows README and docs/session-keys.md as a person does: each of their blocks, as it stands. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { items, openSocket, type SocketClient } from "./support/clients.ts";
import { launchChromium } from "./support/chromium.ts";
import { MarkdownPage } from "./support/markdown.ts";
import { startMongodb } from "./support/mongodb.ts";
import { startRedis } from "./support/redis.ts";
import { Shell } from "./support/shell.ts";
import { shows } from "./support/shows.ts";
import { freePort, waitFor } from "./support/wait.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const NPM = "npm install --silent --no-audit --no-fund";

/** Installs what the snippets import, and gives the folder that they are saved in. */
async function project(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "keywire-readme-" });
  const shell = new Shell({ cwd: folder, addresses: {}, env: { PIP_BREAK_SYSTEM_PACKAGES: "1" } });
  await shell.run(`${NPM} ioredis@6.0.0 mongodb@7.9.0`);
  await shell.run(`python3 -m pip install --quiet --target ${folder} redis==5.2.1`);
  return folder;
}

/** The next message of a socket that is plain, so that a frame is a message. */
async function next({ frames }: SocketClient): Promise<unknown> {
  await items(frames, 1);
  return JSON.parse(frames.shift()!);
}

Deno.test("README: what a person reads is what happens, block by block", async (t) => {
  const page = new MarkdownPage("README.md");
  await using browser = await launchChromium();

  await t.step("Try it: the curl lands on the page as it opens", async () => {
    const port = freePort();
    const shell = new Shell({
      cwd: ROOT,
      addresses: { "localhost:8088": `localhost:${port}` },
      env: { PORT: `${port}` },
    });
    await using _gateway = await shell.start(page.take("sh", "npx -y"), "serves its page");
    const opened = await browser.open();
    await opened.page.goto(`http://localhost:${port}/`);
    const key = () => opened.page.inputValue("#key");
    await waitFor("the key of the demo", async () => await key() === "demo");
    const connect = opened.page.getByRole("button", { name: "Connect", exact: true });
    await connect.click({ timeout: 2_000 }).catch(() => {}); // It may have connected by itself.
    const metrics = `http://localhost:${port}/metrics`;
    await waitFor("the page to be connected", async () => {
      return (await (await fetch(metrics)).text()).includes("\nkeywire_connections 1\n");
    });
    await shell.run(page.take("sh", "curl -sS"));
    await opened.page.getByText('"world"').first().waitFor();
    await opened.page.context().close();
  });

  await using redis = await startRedis();
  await using mongodb = await startMongodb();
  const port = freePort();
  const url = `http://localhost:${port}`;
  const shell = new Shell({
    cwd: ROOT,
    addresses: {
      "redis://localhost:6379": redis.url,
      "mongodb://localhost:27017": mongodb.url,
      "http://localhost:8088": url,
    },
    env: { PORT: `${port}` },
  });
  const folder = await project();
  try {
    shell.paste(page.take("sh", "export REDIS_URL"));
    await using gateway = await shell.start(page.take("sh", "add-key"), "Connected to Redis");
    await waitFor("MongoDB", () => gateway.output.includes("Connected to MongoDB"));

    await t.step(
      "Your own servers: redis-cli delivers, byte for byte, on the page, too",
      async () => {
        using socket = await openSocket(url, "demo");
        const opened = await browser.open();
        await opened.page.goto(`${url}/`);
        await opened.page.fill("#key", "demo");
        await opened.page.getByRole("button", { name: "Connect", exact: true }).click();
        await opened.page.locator("body[data-state=open]").waitFor();
        await opened.page.getByText("wants a token").waitFor(); // why it has no button to send
        await shows(opened.page.locator("#commands"), /"recipients":\["demo"\]/);
        await shell.run(page.take("sh", "redis-cli"));
        await opened.page.locator("#list li", { hasText: '{"n":1}' }).waitFor();
        await opened.page.locator("#list li", { hasText: '{"data":{"id":"123"}}' }).waitFor();
        await opened.page.context().close();
        const frames = await items(socket.frames, 2);
        assertEquals([...frames].sort(), ['{"data":{"id":"123"}}', '{"n":1}']);
      },
    );

    await t.step("Node", async () => {
      using socket = await openSocket(url, "demo");
      await Deno.writeTextFile(`${folder}/publish.mjs`, page.take("js", "ioredis"));
      await shell.run("node publish.mjs", folder);
      assertEquals(await next(socket), { hello: "Node" });
    });

    await t.step("Python", async () => {
      using socket = await openSocket(url, "demo");
      await Deno.writeTextFile(`${folder}/publish.py`, page.take("python"));
      await shell.run("python3 publish.py", folder);
      assertEquals(await next(socket), { hello: "Python" });
    });

    await t.step("HTTP", async () => {
      using socket = await openSocket(url, "demo");
      assertStringIncludes(await shell.run(page.take("sh", "$API_TOKEN")), '"cursor"');
      assertEquals(await next(socket), { hello: "curl" });
    });

    await t.step("In the browser: the page of another origin hears", async () => {
      let html = page.take("html").replaceAll("http://localhost:8088", url);
      await using site = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        () => new Response(html, { headers: { "Content-Type": "text/html" } }),
      );
      const hasConnections = async (count: number) =>
        (await (await fetch(`${url}/metrics`)).text()).includes(`\nkeywire_connections ${count}\n`);
      await waitFor("the socket of before to be gone", () => hasConnections(0));
      const opened = await browser.open();
      const heard: string[] = [];
      opened.page.on("console", (message) => heard.push(message.text()));
      await opened.page.goto(`http://127.0.0.1:${site.addr.port}/`);
      await waitFor(
        () => `the page to be connected; it says ${opened.complaints}`,
        () => hasConnections(1),
      );
      await redis.tell("XADD", "my_stream", "*", "message", '{"recipients":"*","hello":"page"}');
      await waitFor("the message", () => heard.some((line) => line.includes("page")));
      html = html.replace('key: "demo"', 'key: "a wrong one"');
      await opened.page.reload();
      await waitFor("a word of the wrong key", () => {
        return heard.some((line) => line.includes("the key is not known"));
      });
      await opened.page.context().close();
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assertEquals(page.left, [], "a block of the README that no step runs");
});

Deno.test("docs/session-keys.md: a session's key hears what names its user", async () => {
  await using redis = await startRedis();
  await using mongodb = await startMongodb();
  const page = new MarkdownPage("docs/session-keys.md");
  const port = freePort();
  const shell = new Shell({
    cwd: ROOT,
    addresses: { "redis://localhost:6379": redis.url, "mongodb://localhost:27017": mongodb.url },
    env: { PORT: `${port}` },
  });
  shell.paste(new MarkdownPage("README.md").take("sh", "export REDIS_URL"));
  const folder = await project();
  try {
    await Deno.writeTextFile(`${folder}/session.mjs`, page.take("js"));
    const key = (await shell.run("node session.mjs", folder)).trim();
    assert(key.length >= 32, key);
    await using gateway = await shell.start(page.take("sh", "deno task start"), "Connected to M");
    await waitFor("Redis", () => gateway.output.includes("Connected to Redis"));
    const url = `http://localhost:${port}`;
    await assertRejects(() => openSocket(url, "42"));
    using socket = await openSocket(url, key);
    await redis.tell("XADD", "my_stream", "*", "message", '{"recipients":[42],"number":true}');
    await shell.run(page.take("sh", "redis-cli"));
    assertEquals(await next(socket), { hello: "user 42" });
    await waitFor("what names a number to be refused", () => {
      return gateway.output.includes("write numbers in quotes");
    });
    assertEquals(page.left, []);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
