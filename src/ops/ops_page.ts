import { Hono } from "hono";
import { serveStatic } from "hono/deno";
import { pageHeaders } from "../http/page_headers.ts";

const WEBPAGE = new URL("../../webpage", import.meta.url).pathname;

/**
 * The operators' page at `/ops`: files without data, so that they need no token. What the page shows
 * it asks for by `/api/ops`, with the token that is typed into it.
 */
export function createOpsPage(): Hono {
  const page = new Hono();
  const headers = pageHeaders(["'self'"]);
  page.get("/ops", headers, serveStatic({ root: WEBPAGE, path: "ops/index.html" }));
  page.get("/ops/", (c) => c.redirect("../ops", 301));
  // What the two pages share stands with the other one, which is not served on an internal port.
  page.get("/ops/base.css", headers, serveStatic({ root: WEBPAGE, path: "page/base.css" }));
  page.get("/ops/:file{[\\w.]+}", headers, serveStatic({ root: WEBPAGE }));
  page.get("/ops/uplot/:file{[\\w.]+}", headers, serveStatic({ root: WEBPAGE }));
  return page;
}
