import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** A real Chromium. */
export interface Chromium extends AsyncDisposable {
  /** Opens a page in a context of its own, so that nothing is shared with the other pages. */
  open(options?: BrowserContextOptions): Promise<TestPage>;
}

/** A page, and what it complained of. */
export interface TestPage {
  readonly page: Page;
  /** Console errors and warnings, uncaught errors and violations of the content security policy. */
  readonly complaints: readonly string[];
}

const PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const FLAGS = [
  "--no-sandbox", // there is none for root in a container
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Starts a Chromium.
 * @throws when none is installed
 */
export async function launchChromium(): Promise<Chromium> {
  const browser = await chromium.launch({ executablePath: await findChromium(), args: FLAGS });
  return {
    open: (options) => openPage(browser, options),
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/**
 * Where Chromium is installed.
 * @throws when it is not, saying what to install
 */
export async function findChromium(): Promise<string> {
  const folders = (Deno.env.get("PATH") ?? "").split(":");
  const onPath = folders.flatMap((folder) => [`${folder}/chromium`, `${folder}/google-chrome`]);
  for (const path of [...PATHS, ...onPath]) {
    const info = await Deno.stat(path).catch(() => undefined);
    if (info?.isFile) return path;
  }
  throw new Error("Cannot find Chromium: install it (Debian: apt-get install chromium)");
}

async function openPage(browser: Browser, options?: BrowserContextOptions): Promise<TestPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  return { page, complaints };
}
