import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import axe, { type Result } from "axe-core";
import type { Page } from "playwright-core";
import { becomes } from "../support/becomes.ts";
import { launchChromium } from "../support/chromium.ts";
import { items, openSocket } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { shows } from "../support/shows.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { connect, inState, present, row, TRANSPORTS, visit } from "./listener_page.ts";

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; " +
  "connect-src 'self' ws: wss: http: https:; img-src 'self' data:; base-uri 'none'; " +
  "form-action 'none'; frame-ancestors 'none'";
/** What the browser itself reports of a refused request; no page can keep it from that. */
const REFUSED = /status of 403|response code: 403/;

/** Counts, in the page, how often it speaks to a screen reader. */
const WATCH = `
  globalThis.announced = 0;
  new MutationObserver(() => announced++)
    .observe(document.getElementById("announcer"), { childList: true });
`;

Deno.test("the page that the gateway serves", async (t) => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "demo,other" });
  await using chromium = await launchChromium();

  for (const transport of TRANSPORTS) {
    await t.step(`listens by ${transport}, and shows what its own form sends`, async () => {
      const { page, complaints } = await chromium.open();
      await visit(page, gateway.url);
      await connect(page, "demo", transport);
      // A native EventSource tells of a heartbeat each 15 s only.
      const beat = page.locator("#heartbeat", { hasText: /^\d\d:\d\d:\d\d$/ });
      if (transport !== "sse") await beat.waitFor();
      await page.fill("#message", `{"data":{"by":"${transport}","n":12345678901234567890}}`);
      await page.click("#send");
      await row(page, `"by":"${transport}"`);
      await shows(page.locator("#count"), "1");
      // The message may be here before the answer.
      await shows(page.locator("#sent"), "Sent: 1 online.");
      await page.locator("#list li", { hasText: `"by":"${transport}"` }).click();
      // As it was written: through JSON.parse it would read 12345678901234567000.
      await shows(
        page.locator("#detail-text"),
        `{\n  "data": {\n    "by": "${transport}",\n    "n": 12345678901234567890\n  }\n}`,
      );
      await page.click("#connect");
      await inState(page, "closed");
      using other = await openSocket(gateway.url, "demo");
      await publish(gateway, { after: "the end" });
      assertEquals(await items(other.frames, 1), ['{"after":"the end"}']);
      assertEquals(await page.textContent("#count"), "1");
      assertEquals(complaints, []);
      await page.context().close();
    });

    await t.step(`explains an unknown key by ${transport}`, async () => {
      const { page, complaints } = await chromium.open();
      await visit(page, gateway.url);
      await present(page, "stranger", transport);
      await inState(page, "closed");
      await shows(page.locator("#trouble"), /key is not known.*\(403\)/);
      assertEquals(complaints.filter((complaint) => !REFUSED.test(complaint)), []);
      await present(page, "demo", transport);
      await inState(page, "open");
      assertEquals(await page.textContent("#trouble"), "");
      await page.context().close();
    });

    await t.step(`comes back by ${transport} when the line is cut`, async () => {
      const { page, complaints } = await chromium.open();
      await visit(page, gateway.url);
      await connect(page, "demo", transport);
      await page.click("#cut");
      await publish(gateway, { sent: "meanwhile" });
      const resumes = transport === "auto" || transport === "sse";
      await row(page, resumes ? "nothing lost" : "May have missed messages");
      if (resumes) await row(page, "meanwhile");
      await publish(gateway, { sent: "afterwards" });
      await row(page, "afterwards");
      assertEquals(complaints, []);
      await page.context().close();
    });
  }

  await t.step(
    "stays quick with thousands of messages, and tells of them now and then",
    async () => {
      const { page, complaints } = await chromium.open();
      await visit(page, gateway.url);
      await connect(page, "demo", "auto");
      await page.evaluate(WATCH);
      const cpuSeconds = await mainThread(page);
      const began = performance.now();
      await publishMany(gateway, 3_000);
      await page.locator("#count", { hasText: "3,000" }).waitFor();
      await row(page, `"n":2999`);
      const seconds = (performance.now() - began) / 1000;
      const announced = await page.evaluate<number>("announced");
      const nodes = await page.locator("*").count();
      assert(nodes < 1_000, `the document has ${nodes} elements`);
      const busy = await cpuSeconds();
      assert(busy < 4, `3,000 messages took ${busy} s of CPU`);
      assert(announced <= 2 + seconds / 4, `it spoke ${announced} times in ${seconds} s`);
      assertEquals(complaints, []);

      await page.click("#older");
      await page.locator("#position", { hasText: /of 3,00\d, 100 newer/ }).waitFor();
      await publish(gateway, { n: "one more" });
      await page.locator("#position", { hasText: "101 newer" }).waitFor();
      assertEquals(await page.locator("#list li", { hasText: "one more" }).count(), 0);
      await page.click("#hold");
      await row(page, "one more");
      await page.click("#clear");
      await becomes(() => page.locator("#list li").count(), 0);
      await shows(page.locator("#count"), "0");
      await page.context().close();
    },
  );

  await t.step("needs a keyboard and nothing else", async () => {
    const { page } = await chromium.open();
    await visit(page, gateway.url);
    await page.focus("#key");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("other");
    await page.keyboard.press("Enter");
    await inState(page, "open");
    await publish(gateway, { deep: { down: [1, {}] } }, "other");
    await row(page, "deep");
    await publish(gateway, { second: true }, "other");
    await row(page, "second");
    await page.focus("#list");
    await page.keyboard.press("ArrowDown");
    await shows(page.locator("#detail-text"), `{\n  "second": true\n}`);
    await page.keyboard.press("ArrowDown");
    await shows(
      page.locator("#detail-text"),
      `{\n  "deep": {\n    "down": [\n      1,\n      {}\n    ]\n  }\n}`,
    );
    await page.focus("#message");
    await page.keyboard.press("Control+Enter");
    await row(page, "Hello over the wire");
    await page.focus("#key");
    await page.keyboard.press("Enter");
    await inState(page, "closed");
    await page.context().close();
  });

  await t.step("copies a line for the shell that sends the same, quotes included", async () => {
    const { page } = await chromium.open({ permissions: ["clipboard-read", "clipboard-write"] });
    await visit(page, gateway.url);
    await connect(page, "demo", "auto");
    await page.fill("#message", `{"text":"it's a \\"wire\\" & more"}`);
    await page.locator(".command", { hasText: "curl" }).getByRole("button").click();
    await shell(await page.evaluate<string>("navigator.clipboard.readText()"));
    await row(page, "it's a");
    await page.context().close();
  });

  await t.step("never puts the key into its address, script or none", async () => {
    for (const javaScriptEnabled of [true, false]) {
      const { page } = await chromium.open({ javaScriptEnabled });
      const asked: string[] = [];
      page.on("request", (request) => request.isNavigationRequest() && asked.push(request.url()));
      if (javaScriptEnabled) {
        await visit(page, gateway.url); // Else a click may end the connection that the page opens by itself.
        await connect(page, "demo", "sse");
      } else {
        await page.goto(gateway.url);
        await present(page, "demo", "sse");
      }
      await page.keyboard.press("Enter");
      await page.screenshot(); // a navigation would be under way by now
      assertEquals(asked.filter((url) => url !== `${gateway.url}/`), []);
      await page.context().close();
    }
  });

  await t.step("runs no script but the gateway's", async () => {
    const { page, complaints } = await chromium.open();
    const response = await page.goto(gateway.url);
    assertEquals(response?.headers()["content-security-policy"], POLICY);
    await page.evaluate(`{
      const script = document.createElement("script");
      script.textContent = "document.title = 'taken over'";
      document.body.append(script);
    }`);
    await waitFor(
      "a complaint of it",
      () => complaints.some((complaint) => complaint.includes("Content Security Policy")),
    );
    assertStringIncludes(await page.title(), "Keywire");
    await page.context().close();
  });

  for (const [colorScheme, width] of [["light", 390], ["dark", 1280]] as const) {
    await t.step(`is accessible in ${colorScheme}, idle, refused, open and full`, async () => {
      const { page } = await chromium.open({ colorScheme, viewport: { width, height: 844 } });
      await visit(page, gateway.url);
      assertEquals(await offences(page), []);
      await page.fill("#message", "{");
      await present(page, "stranger", "auto");
      await inState(page, "closed");
      assertEquals(await offences(page), []);
      await connect(page, "demo", "auto");
      await page.click("#cut");
      await row(page, "nothing lost");
      await publishMany(gateway, 120);
      await row(page, `"n":119`);
      await page.locator("#list li").first().click();
      assertEquals(await offences(page), []);
      await becomes(() => page.evaluate("document.documentElement.scrollWidth"), width);
      await page.context().close();
    });
  }
});

Deno.test("the page says in a line that its gateway is gone, and finds it when it is back", async () => {
  const env = { PORT: String(freePort()), EMBEDDED_KEYS: "demo" };
  await using chromium = await launchChromium();
  const { page } = await chromium.open();
  {
    await using gateway = await startKeywire(env);
    await visit(page, gateway.url);
    await connect(page, "demo", "websocket");
  }
  await row(page, "is it running?");
  await using _gateway = await startKeywire(env);
  await inState(page, "open");
  assertEquals(await page.textContent("#trouble"), "");
});

Deno.test("the page's redis-cli lines reach who listens, by the channel and by the stream", async () => {
  await using redis = await startRedis();
  await using gateway = await startKeywire({ REDIS_URL: redis.url, EMBEDDED_KEYS: "demo" });
  await using chromium = await launchChromium();
  const { page } = await chromium.open();
  await visit(page, gateway.url);
  await shows(page.locator("#send-off"), /start it with API_TOKEN/);
  assertEquals(await page.isVisible("#send"), false);
  await connect(page, "demo", "auto");
  for (const way of ["PUBLISH", "XADD"]) {
    await page.fill("#message", `{"by":"${way}, isn't it"}`);
    const line = await page.locator(".command code", { hasText: `redis-cli ${way}` }).textContent();
    await shell(line!.replace("redis-cli", `redis-cli -p ${redis.port}`));
    await row(page, `${way}, isn't it`);
  }
});

Deno.test("the page listens from any static server to the gateway that its address names", async (t) => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "demo" });
  await using chromium = await launchChromium();
  await using server = serveFolder("webpage");
  const origin = `http://127.0.0.1:${server.addr.port}`;

  for (const transport of TRANSPORTS) {
    await t.step(`by ${transport}`, async () => {
      const { page, complaints } = await chromium.open();
      await visit(page, `${origin}/?gateway=ws://127.0.0.1:${gateway.port}`);
      await shows(page.locator("#gateway"), `127.0.0.1:${gateway.port}`);
      await shows(page.locator("#send-off"), /answers no other origin/);
      assertEquals(await page.isVisible("#send"), false);
      await connect(page, "demo", transport);
      await publish(gateway, { from: "afar" });
      await row(page, "afar");
      assertEquals(complaints, []);
      await page.context().close();
    });
  }

  await t.step("and asks for one where it names none", async () => {
    const { page } = await chromium.open();
    await visit(page, origin);
    await shows(page.locator("#trouble"), /\?gateway=ws:\/\//);
    await visit(page, `${origin}/?gateway=nonsense:`);
    await shows(page.locator("#trouble"), /nonsense:/);
    await page.context().close();
  });
});

/** Publishes `content` to one recipient by the API. */
async function publish(
  gateway: KeywireProcess,
  content: Record<string, unknown>,
  recipient = "demo",
): Promise<void> {
  const response = await fetch(`${gateway.url}/api/publish`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ recipients: [recipient], ...content }),
  });
  await response.body?.cancel();
  assertEquals(response.status, 202);
}

/** Publishes `{"n":0}` to `{"n":<count - 1>}`, fifty at once, the last one last. */
async function publishMany(gateway: KeywireProcess, count: number): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: 50 }, async () => {
    while (next < count - 1) await publish(gateway, { n: next++ });
  }));
  await publish(gateway, { n: count - 1 });
}

/** What axe-core finds wrong with the page as it is. */
async function offences(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ violations: Result[] }>("axe.run()");
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** Runs a line as a person would who has pasted it. */
async function shell(line: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("sh", { args: ["-c", line] }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** Serves a folder as any static server does: it knows nothing of gateways. */
function serveFolder(folder: string): Deno.HttpServer<Deno.NetAddr> {
  const types: Record<string, string> = {
    css: "text/css",
    html: "text/html; charset=utf-8",
    js: "text/javascript",
  };
  const root = new URL(`../../${folder}`, import.meta.url);
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const path = pathname === "/" ? "/index.html" : pathname;
    try {
      const type = types[path.split(".").at(-1) ?? ""] ?? "application/octet-stream";
      const body = await Deno.readFile(new URL(root.href + path));
      return new Response(body, { headers: { "Content-Type": type } });
    } catch {
      return new Response(null, { status: 404 });
    }
  });
}

/** What the page's main thread spends from now on, in seconds of CPU: others' load is not in it. */
async function mainThread(page: Page): Promise<() => Promise<number>> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable", { timeDomain: "threadTicks" });
  const read = async () => {
    const { metrics } = await cdp.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration")!.value;
  };
  const start = await read();
  return async () => await read() - start;
}
