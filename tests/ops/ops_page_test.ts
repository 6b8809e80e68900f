import { assert, assertEquals } from "@std/assert";
import axe, { type Result } from "axe-core";
import type { Page } from "playwright-core";
import { becomes } from "../support/becomes.ts";
import { launchChromium } from "../support/chromium.ts";
import { openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { shows } from "../support/shows.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { openOps, shown, TOKEN } from "./ops_page.ts";

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** What the browser itself reports of a refused request; no page can keep it from that. */
const REFUSED = /status of 401/;

Deno.test("the operators' page", async (t) => {
  await using redis = await startRedis();
  const env = { HOST: "127.0.0.1", DEMO: "1", REDIS_URL: redis.url, API_TOKEN: TOKEN };
  const internalPort = freePort();
  const starting = [
    startKeywire({ ...env, INTERNAL_PORT: `${internalPort}` }, { ready: false }),
    startKeywire(env),
  ] as const;
  await using one = await starting[0];
  await using other = await starting[1];
  const internal = `http://127.0.0.1:${internalPort}`;
  // A lease tells the others of it within seconds, while the browser starts.
  await fetch(`${other.url}/websocket?stranger`).then(({ body }) => body?.cancel());
  await fetch(`${other.url}/events?stranger`).then(({ body }) => body?.cancel());
  const reply = await redis.tell("XADD", "my_stream", "*", "message", "{‘recipients’}");
  const id = /\d+-\d+/.exec(reply)![0];
  await using chromium = await launchChromium();

  await t.step(
    "is served on INTERNAL_PORT alone, without data, and runs its own scripts only",
    async () => {
      for (const path of ["/ops", "/ops/ops.js", "/ops/index.html", "/api/ops/overview"]) {
        const response = await fetch(one.url + path);
        await response.body?.cancel();
        assertEquals([path, response.status], [path, 404]);
      }
      const shell = await fetch(`${internal}/ops`);
      await shell.body?.cancel();
      assertEquals([shell.status, shell.headers.get("Content-Security-Policy")], [200, POLICY]);
      for (const path of ["overview", "history"]) {
        const response = await fetch(`${internal}/api/ops/${path}`);
        await response.body?.cancel();
        assertEquals([path, response.status], [path, 401]);
      }
    },
  );

  await t.step(
    "wants the token, says when it is none, and keeps it out of every address",
    async () => {
      const { page, complaints } = await chromium.open();
      const asked: string[] = [];
      page.on("request", (request) => asked.push(request.url()));
      await page.goto(`${internal}/ops`);
      await page.fill("#token", "not-the-token");
      await page.keyboard.press("Enter");
      await page.locator("#token-trouble", { hasText: "none of the tokens" }).waitFor();
      assertEquals(await offences(page), []);
      await page.fill("#token", TOKEN);
      await page.keyboard.press("Enter");
      await page.locator("#nodes tbody").first().waitFor();
      assertEquals(asked.filter((url) => url.includes(TOKEN)), []);
      await page.reload();
      await page.locator("#nodes tbody").first().waitFor();
      await page.click("#forget");
      await page.locator("#gate").waitFor();
      assertEquals(
        await page.evaluate("JSON.stringify({ ...sessionStorage, ...localStorage })"),
        "{}",
      );
      assertEquals(complaints.filter((complaint) => !REFUSED.test(complaint)), []);
      await page.context().close();
    },
  );

  const { page, complaints } = await openOps(chromium, internal);

  await t.step("shows all nodes and how they are, and plots the last hour", async () => {
    for (const port of [one.port, other.port]) {
      assertEquals(await shown(page, { port, state: "ready" }), "");
    }
    await shows(page.locator("#summary"), "All 2 nodes are ready");
    const row = page.locator("#nodes tbody", { hasText: `:${other.port}` });
    await shows(row.locator("td[data-name=Memory]"), /^\d+ MB$/);
    await becomes(() => page.locator(".plot canvas").count(), 6);
    // The plots know a node from the next sample on, up to ten seconds after the table does.
    await page.locator(".plot .told", { hasText: /^\d+ MB on \w{8}$/ }).waitFor();
    await becomes(() => page.locator("#parts li").count(), 5);
  });

  await t.step("counts what was refused and dropped, with source, id and what to do", async () => {
    const fault = (reason: string) => page.locator(".fault", { hasText: reason });
    await shows(fault("unknown key"), /ask the backend/);
    await shows(fault("not json"), /typographic quotes/);
    await shows(page.locator("#drops li", { hasText: id }), /not json, stream/);
    assert(!(await page.textContent("main#view"))?.includes("‘recipients’"), "what it said");
  });

  await t.step(
    "looks a recipient up on another node, sends it a message, disconnects it",
    async () => {
      using client = await openSocket(other.url, "demo", { v1: true });
      const row = page.locator("#recipient-answer li");
      // The registry and the node are asked once a press, and hear of the client a moment later.
      await waitFor("presence", async () => {
        await lookUp(page, "demo");
        const head = page.locator("#recipient-answer b").first();
        const isOnline = /^1 connection, online since/.test(await head.textContent() ?? "");
        return isOnline && await row.count() === 1;
      });
      await shows(row, /^\w{8} v1, since \d\d:\d\d:\d\d \(.*\), nothing waits for it$/);
      await page.fill("#test", '{"n":12345678901234567890}');
      await page.click("#test-form button");
      await page.locator("#tested", { hasText: "it is online" }).waitFor();
      await waitFor(
        "the message",
        () => client.frames.some((it) => it.includes("12345678901234567890")),
      );
      await verdict(page, "It came, and was written to 1 connection of demo.");
      await page.click("#disconnect");
      await shows(page.locator("#disconnect"), "Press again to disconnect");
      await page.click("#disconnect");
      assertEquals((await client.closed).code, 4403);
      await shows(page.locator("#disconnected"), /^Closed on every node\. It is a kick, not a ban/);
      // The page looks it up by itself, maybe before the node has told the registry.
      const head = page.locator("#recipient-answer b").first();
      await waitFor("its end", async () => {
        if (await head.textContent() === "It is not connected.") return true;
        await lookUp(page, "demo");
      });
    },
  );

  await t.step("says why a message did not come", async () => {
    const add = async (envelope: string) =>
      /\d+-\d+/.exec(await redis.tell("XADD", "my_stream", "*", "message", envelope))![0];
    const why = async (cursor: string, answer: string) => {
      await page.fill("#trace-recipient", "demo");
      await page.fill("#trace-cursor", cursor);
      await verdict(page, answer);
    };
    await why(await add('{"recipients":["demo"]}'), "while demo had no connection that heard it");
    await shows(page.locator("#trace-answer"), /it had ended before/);
    await why(await add('{"recipients":["ann"]}'), "It came, and does not name demo.");
    await why(await add('{"recipients":[1]}'), "dropped as malformed: numeric recipients");
    await why("9999999999999-0", "No node has heard it yet.");
    await why("nonsense!", "That is no cursor");
  });

  await t.step("is accessible, dark and light, wide and narrow", async () => {
    for (const [colorScheme, width] of [["light", 1280], ["dark", 390]] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      assertEquals(await offences(page), []);
      // The plots are drawn anew, in their new width, a frame later.
      await becomes(() => page.evaluate("document.documentElement.scrollWidth"), width);
    }
    assertEquals(complaints.filter((complaint) => !REFUSED.test(complaint)), []);
    await page.context().close();
  });
});

/** Looks a recipient up, and waits for the answer. */
async function lookUp(page: Page, recipient: string): Promise<void> {
  await page.fill("#recipient", recipient);
  await answered(page, "/api/ops/recipient", "#recipient-form button");
}

/** Asks for a trace until the verdict is `text`: a node may hear of a message after the first time. */
async function verdict(page: Page, text: string): Promise<void> {
  let told: string | null = "";
  await waitFor(() => `the verdict ${text}, it is ${told}`, async () => {
    await answered(page, "/api/ops/trace", "#trace-form button");
    told = await page.locator("#trace-answer p b").first().textContent();
    return told?.includes(text);
  });
}

/** Presses `button`, and waits until the page shows what `path` answers. */
async function answered(page: Page, path: string, button: string): Promise<void> {
  const answer = page.waitForResponse((response) => new URL(response.url()).pathname === path);
  await page.click(button);
  await (await answer).finished();
  await page.evaluate("new Promise(requestAnimationFrame)");
}

/** What axe-core finds wrong with the page as it is. */
async function offences(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ violations: Result[] }>("axe.run()");
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}
