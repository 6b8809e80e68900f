import type { Page } from "playwright-core";

/** The page's ways to listen, as its form names them. */
export const TRANSPORTS = ["auto", "websocket", "sse", "polling"] as const;
export type PageTransport = (typeof TRANSPORTS)[number];

/** Opens the page at `url` and waits until it knows its gateway, and connects where it does by itself. */
export async function visit(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.locator("#gateway").filter({ hasText: /./ }).waitFor();
}

/** Presents `key` by `transport` on a page with an empty list, without waiting for the outcome. */
export async function present(page: Page, key: string, transport: PageTransport): Promise<void> {
  if (await page.locator("#connect", { hasText: "Disconnect" }).count() > 0) {
    await inState(page, "open"); // a browser complains of a connection that ends before it opens
    await page.click("#connect");
    await inState(page, "closed");
    await page.click("#clear");
  }
  await page.fill("#key", key);
  await page.selectOption("#transports", transport);
  await page.click("#connect", { noWaitAfter: true }); // without script, nothing comes after
}

/** Connects with `key` by `transport`, and waits until the page says that it is open. */
export async function connect(page: Page, key: string, transport: PageTransport): Promise<void> {
  await present(page, key, transport);
  await inState(page, "open");
  await row(page, "Connected");
}

/** Waits until the page is in `state`. */
export async function inState(page: Page, state: string): Promise<void> {
  await page.locator(`body[data-state=${state}]`).waitFor();
}

/** Waits until a row of the list says `text`. */
export async function row(page: Page, text: string): Promise<void> {
  await page.locator("#list li", { hasText: text }).first().waitFor();
}
