import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import { becomes } from "../support/becomes.ts";
import { launchChromium } from "../support/chromium.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { shows } from "../support/shows.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { connect, inState, row, visit } from "./listener_page.ts";

const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const RESTART = "POST /api/demo/restart HTTP/1.1\r\nContent-Type: application/json" +
  "\r\nContent-Length: 0";

Deno.test("the page as it opens", async (t) => {
  await using gateway = await startKeywire();
  await using chromium = await launchChromium();

  await t.step(
    "connects by itself as demo, and shows what the README's first curl sends",
    async () => {
      const { page, complaints } = await chromium.open();
      await page.goto(gateway.url);
      await inState(page, "open");
      await becomes(() => page.inputValue("#key"), "demo");
      const [line] = /curl -sS http:\/\/localhost:8088[\s\S]*?'(?=\n)/.exec(README) ?? [""];
      assertStringIncludes(line, '"demo"');
      await shell(line.replace("http://localhost:8088", gateway.url));
      await row(page, `{"hello":"world"}`);
      const saying = page.locator("#list code, #detail-text", { hasText: "world" });
      assertEquals(await saying.count(), 1, "it is said once");
      assertEquals(complaints, []);
      await page.context().close();
    },
  );

  for (const [width, height] of [[390, 844], [768, 1024]] as const) {
    await t.step(`begins messages and Send above the fold at ${width} px`, async () => {
      const { page } = await chromium.open({ viewport: { width, height } });
      await page.goto(gateway.url);
      await inState(page, "open");
      for (const id of ["#list", "#detail-text", "#message", "#send"]) {
        const box = await page.locator(id).boundingBox();
        assert(box !== null && box.y + box.height <= height, `${id} ends at ${box?.y}`);
      }
      await page.context().close();
    });
  }

  await t.step(
    "needs no scrolling to the side, on a small phone or at a zoom of 200 %",
    async () => {
      for (const [width, height] of [[320, 568], [640, 400], [512, 384]] as const) {
        const { page } = await chromium.open({ viewport: { width, height } });
        await page.goto(gateway.url);
        await inState(page, "open");
        await becomes(() => page.evaluate("document.documentElement.scrollWidth"), width);
        await page.context().close();
      }
    },
  );

  await t.step("tells its key to this machine alone", async () => {
    for (const host of ["127.0.0.1", "localhost", "evil.example", "localhost.evil.example"]) {
      const config = await configFor(gateway, `${host}:${gateway.port}`);
      const isHere = !host.endsWith("example");
      assertEquals(config.demoKey, isHere ? "demo" : null, host);
      assertEquals([config.publish, config.restart], [isHere, isHere], host);
      assertEquals(config.publishOff, isHere ? undefined : "host", host);
    }
  });
});

Deno.test("the page's list", async (t) => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "demo" });
  await using chromium = await launchChromium();

  await t.step("is filtered, exported as it came and sent again", async () => {
    const { page, complaints } = await chromium.open({ acceptDownloads: true });
    await visit(page, gateway.url);
    await inState(page, "open");
    await publish(gateway, `"n":12345678901234567890,"fruit":"Apple (1+1)"`);
    await publish(gateway, `"n":1.0,"fruit":"pear"`);
    await row(page, "pear");
    await page.fill("#filter", "apple (1+");
    await becomes(() => page.locator("#list li").count(), 1);
    await publish(gateway, `"fruit":"plum"`);
    await publish(gateway, `"fruit":"APPLE (1+2)"`);
    await row(page, "APPLE (1+2)");
    await shows(page.locator("#position"), "2 of 5");
    assertEquals(await page.locator("#list li").count(), 2);

    const [download] = await Promise.all([page.waitForEvent("download"), page.click("#export")]);
    assertMatch(download.suggestedFilename(), /^keywire-\d{4}-\d\d-\d\dT[\d-]{8}\.ndjson$/);
    const lines = (await Deno.readTextFile(await download.path())).trimEnd().split("\n");
    assertEquals(lines.length, 2);
    assertMatch(
      lines[0]!,
      /"time":"\d{4}-.*Z","message":\{"n":12345678901234567890,"fruit":"Apple/,
    );
    assertEquals(JSON.parse(lines[1]!).message, { fruit: "APPLE (1+2)" });

    await page.locator("#list li", { hasText: "12345678901234567890" }).click();
    await page.click("#again");
    await page.locator("#list li", { hasText: "12345678901234567890" }).nth(1).waitFor();
    await page.fill("#filter", "no such thing");
    await page.locator("#empty", { hasText: "Nothing here contains that" }).waitFor();
    assertEquals(complaints, []);
    await page.context().close();
  });

  await t.step("keeps its height and its place whatever is chosen or comes", async () => {
    const { page } = await chromium.open({ viewport: { width: 390, height: 844 } });
    await visit(page, gateway.url);
    await inState(page, "open");
    const places = () =>
      page.evaluate<string>(
        `JSON.stringify(["list", "detail", "message"].map((id) => {
          const { y, height } = document.getElementById(id).getBoundingClientRect();
          return [id, y + scrollY, height];
        }))`,
      );
    const before = await places();
    await publish(gateway, `"long":${JSON.stringify(Array.from({ length: 300 }, (_, n) => n))}`);
    await row(page, "long");
    await page.locator("#list li").first().click();
    await page.locator("#detail-text", { hasText: "299" }).waitFor();
    await page.click("#hold");
    await page.click("#cut");
    await page.locator("#recovery", { hasText: "1 caught up" }).waitFor();
    await page.fill("#message", "{");
    await page.locator("#message-error", { hasText: "column 2" }).waitFor();
    await becomes(places, before);
    await page.context().close();
  });

  await t.step("shows emoji whole, and text from right to left where it stands", async () => {
    const { page } = await chromium.open();
    await visit(page, gateway.url);
    await inState(page, "open");
    // The 240th UTF-16 unit is the first half of an emoji.
    await publish(gateway, `"a":"${"x".repeat(233)}😀😀"`);
    await row(page, "xxx");
    const preview = await page.locator("#list code").first().textContent() ?? "";
    assert(preview.isWellFormed(), `half a character: ${preview.slice(-2)}`);
    await publish(gateway, `"א":"שלום","ב":"עולם"`);
    await row(page, "שלום");
    const lefts = await page.evaluate<number[]>(
      `[...document.querySelectorAll("#list li:first-child bdi")].map((bdi) =>
        bdi.getBoundingClientRect().left)`,
    );
    assertEquals(lefts.length, 4);
    assertEquals(lefts, [...lefts].sort((a, b) => a - b));
    await page.context().close();
  });

  await t.step("says where JSON is wrong, and goes there when it is sent", async () => {
    const { page } = await chromium.open();
    await visit(page, gateway.url);
    await inState(page, "open");
    await page.fill("#message", `{"text": “Hello”}`);
    await shows(
      page.locator("#message-error"),
      'Line 1, column 10: typographic quote “, write "',
    );
    await page.click("#send");
    await becomes(
      () => page.evaluate("[document.activeElement.id, document.activeElement.selectionStart]"),
      ["message", 9],
    );
    await page.fill("#message", "{}");
    await page.fill("#recipient", "");
    await shows(page.locator("#shell-hint"), /Name a recipient/);
    assertEquals(await page.isVisible("#commands"), false);
    await page.context().close();
  });

  await t.step("draws each second's messages, for who wants motion and who does not", async () => {
    for (const reducedMotion of ["no-preference", "reduce"] as const) {
      const { page } = await chromium.open({ reducedMotion });
      await visit(page, gateway.url);
      await inState(page, "open");
      assertEquals(await barPixels(page), 0);
      for (let n = 0; n < 20; n++) await publish(gateway, `"n":${n}`);
      await page.locator("#rate", { hasText: /^[1-9]/ }).waitFor();
      await waitFor("a bar to be drawn", async () => await barPixels(page) > 10);
      await page.context().close();
    }
  });
});

Deno.test("the page restarts an embedded gateway in play, and says that nothing was lost", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "demo" });
  await using chromium = await launchChromium();
  const { page } = await chromium.open();
  await visit(page, gateway.url);
  await connect(page, "demo", "auto");
  await page.click("#restart");
  const refused = page.waitForEvent("response", (response) => response.status() === 503);
  await refused;
  await shows(
    page.locator("#broken"),
    /^Back after [2-9]\.\d s: caught up, nothing lost\. The 3 messages sent meanwhile are here\.$/,
  );
  // Counts and rows come with the next frame.
  await shows(page.locator("#count"), "3");
  await shows(page.locator("#recovery"), "1 caught up");
  // They came behind the welcome, so they were sent while the client was away.
  await becomes(async () => {
    const rows = await page.locator("#list li").allTextContents();
    const back = rows.findIndex((text) => text.includes("nothing lost"));
    return rows.slice(0, back).filter((text) => text.includes("restart")).length;
  }, 3);

  const restart = (headers: Record<string, string>) =>
    fetch(`${gateway.url}/api/demo/restart`, { method: "POST", headers, body: "{}" });
  const form = await restart({ "Content-Type": "text/plain" });
  assertEquals([form.status, await page.getAttribute("body", "data-state")], [415, "open"]);
  await form.body?.cancel();
  const foreign = await answerFor(gateway, `evil.example:${gateway.port}`, RESTART);
  assertMatch(foreign, /^HTTP\/1\.1 403 /);
  await using closed = await startKeywire({ API_TOKEN: "t".repeat(32) });
  const response = await fetch(`${closed.url}/api/demo/restart`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${"t".repeat(32)}` },
    body: "{}",
  });
  await response.body?.cancel();
  assertEquals(response.status, 404);
  const { page: other } = await chromium.open();
  await visit(other, closed.url);
  await shows(other.locator("#send-off"), /wants a token/);
  assertEquals(await other.isVisible("#restart"), false);
  assertEquals(await other.isVisible("#send"), false);
});

Deno.test("the page counts attempts in one row while its gateway is away", async () => {
  const env = { PORT: String(freePort()), EMBEDDED_KEYS: "demo" };
  await using chromium = await launchChromium();
  const { page } = await chromium.open();
  {
    await using gateway = await startKeywire(env);
    await visit(page, gateway.url);
    await connect(page, "demo", "websocket");
  }
  await row(page, "(3 attempts)");
  assertEquals(await page.textContent("#trouble"), "");
  assertEquals(await page.locator("#list li", { hasText: "is it running?" }).count(), 1);
  assertEquals(await page.locator("#list li").count(), 3);
});

Deno.test("the page copies no line that runs what an address says", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "demo" });
  await using chromium = await launchChromium();
  const folder = await Deno.makeTempDir();
  const { page } = await chromium.open();
  const host = `127.0.0.1:${gateway.port}`;
  for (
    const path of [
      `$(touch$IFS${folder}/a)`,
      "`touch$IFS" + folder + "/b`",
      `';touch ${folder}/c;'`,
    ]
  ) {
    await visit(page, `${gateway.url}/?gateway=${encodeURIComponent(`ws://${host}/${path}`)}`);
    await page.fill("#recipient", `it's $(touch ${folder}/d) \u009b31m`);
    await page.fill("#message", `{"a":"$(touch ${folder}/e)",\n"b":"'; touch ${folder}/f; '"}`);
    for (const line of await page.locator(".command code").allTextContents()) {
      assert(!/[\u0080-\u009f]/.test(line), "a terminal would obey this");
      await shell(line.replace(/^(curl|redis-cli)/, "true"));
    }
  }
  assertEquals(await Array.fromAsync(Deno.readDir(folder), ({ name }) => name), []);
  await Deno.remove(folder);

  await visit(page, `${gateway.url}/?gateway=${encodeURIComponent(`ws://me:secret@${host}/`)}`);
  await shows(page.locator("#trouble"), /without a user name or password/);
  assert(!(await page.textContent("#trouble") ?? "").includes("secret"));
  assert(!(await page.textContent("#commands") ?? "").includes("secret"));
});

/** What the gateway answers under the name `host`. */
async function answerFor(gateway: KeywireProcess, host: string, start: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: gateway.port });
  const request = `${start}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  return await new Response(connection.readable).text();
}

/** What the page would be told under `host`. */
async function configFor(gateway: KeywireProcess, host: string): Promise<Record<string, unknown>> {
  const answer = await answerFor(gateway, host, "GET /config.json HTTP/1.1");
  return JSON.parse(answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1));
}

/** Publishes an object with these members to `demo`. */
async function publish(gateway: KeywireProcess, members: string): Promise<void> {
  const response = await fetch(`${gateway.url}/api/publish`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: `{"recipients":["demo"],${members}}`,
  });
  await response.body?.cancel();
  assertEquals(response.status, 202);
}

/** Runs a line as a person would who has pasted it. */
async function shell(line: string): Promise<void> {
  const { success, stderr } = await new Deno.Command("sh", { args: ["-c", line] }).output();
  assert(success, new TextDecoder().decode(stderr));
}

/** How many pixels are drawn on a little above the wire, where nothing but bars is. */
async function barPixels(page: Page): Promise<number> {
  return await page.evaluate<number>(`{
    const wire = document.getElementById("wire");
    const row = wire.height - Math.round(15 * devicePixelRatio);
    const { data } = wire.getContext("2d").getImageData(0, row, wire.width, 1);
    data.filter((alpha, index) => index % 4 === 3 && alpha > 0).length;
  }`);
}
