import type { Page } from "playwright-core";
import type { Chromium } from "../support/chromium.ts";

/** A token as `API_TOKEN` takes it. */
export const TOKEN = "a-token-of-operators-0123456789ab";

/** How the operators' page is opened. */
export interface OpsPageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: "light" | "dark";
}

/** Opens the operators' page of the gateway at `url` with {@link TOKEN}, and waits for its nodes. */
export async function openOps(
  chromium: Chromium,
  url: string,
  { width = 1280, height = 900, colorScheme = "light" }: OpsPageOptions = {},
): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
  const opened = await chromium.open({ colorScheme, viewport: { width, height } });
  await opened.page.goto(`${url}/ops`);
  await opened.page.fill("#token", TOKEN);
  await opened.page.keyboard.press("Enter");
  await opened.page.locator("#nodes tbody").first().waitFor();
  return opened;
}

/** Waits until the node at `port` is shown in `state`. Returns what is said of it beside. */
export async function shown(
  page: Page,
  { port, state, timeout = 30_000 }: {
    readonly port: number;
    readonly state: string;
    readonly timeout?: number;
  },
): Promise<string> {
  const node = page.locator(`#nodes tbody[data-state=${state}]`, { hasText: `:${port}` });
  await node.waitFor({ timeout });
  return await node.locator(".help").textContent() ?? "";
}
