import { assert, assertEquals } from "@std/assert";
import { launchChromium } from "../support/chromium.ts";
import { startKeywire } from "../support/gateway.ts";
import { waitFor } from "../support/wait.ts";

const WEBPAGE = new URL("../../webpage", import.meta.url).pathname;

/** A site of its own that carries a copy of the client. */
function serveSite(): Deno.HttpServer<Deno.NetAddr> {
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  return Deno.serve(options, async (request) => {
    const { pathname } = new URL(request.url);
    if (!/^\/keywire\w*\.js$/.test(pathname)) {
      return new Response("<title>Site</title>", { headers: { "content-type": "text/html" } });
    }
    const text = await Deno.readTextFile(WEBPAGE + pathname);
    return new Response(text, { headers: { "content-type": "text/javascript" } });
  });
}

Deno.test("debug: in a browser, explains an origin that is not allowed, and a server that is away", async () => {
  await using gateway = await startKeywire({
    EMBEDDED_KEYS: "a",
    ALLOWED_ORIGINS: "https://elsewhere.example",
  });
  await using site = serveSite();
  await using chromium = await launchChromium();
  const { page } = await chromium.open();
  const lines: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "info") lines.push(message.text());
  });
  const origin = `http://127.0.0.1:${site.addr.port}`;
  await page.goto(origin);
  const connect = (url: string) =>
    page.evaluate(`import("/keywire.js").then(({ Keywire }) => {
      new Keywire("${url}", { key: "a", debug: true });
    })`);
  await connect(gateway.url);
  await waitFor("an explanation", () => lines.length > 0);
  assert(lines[0]!.includes(`add ${origin} to the gateway's ALLOWED_ORIGINS`), lines[0]);
  assertEquals(lines.filter((line) => line.includes("CORS")).length, 1);
  gateway.kill();
  await gateway.ended;
  await connect(`http://127.0.0.1:${gateway.port}/`);
  await waitFor("the other", () => lines.some((line) => line.includes("Nothing answers")));
});
