import type { BrowserContext, CDPSession, Page } from "playwright-core";
import { launchChromium } from "../support/chromium.ts";
import { waitFor } from "../support/wait.ts";

/** A tab of one browser, with a client that writes down what it hears. */
export interface Tab {
  readonly page: Page;
  /** The process that renders it. */
  readonly pid: number;
}

/** What a client in a tab has heard. */
export interface Heard {
  /** The member `n` of each message, in order. */
  readonly numbers: number[];
  readonly welcomes: number;
  readonly gaps: number;
  readonly state: string;
}

/** A browser whose tabs share what pages of one origin share, on pages of a gateway. */
export class Tabs implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #context: BrowserContext;
  readonly #browser: CDPSession;
  readonly #first: Page;

  private constructor(stack: AsyncDisposableStack, page: Page, browser: CDPSession) {
    this.#stack = stack;
    this.#first = page;
    this.#context = page.context();
    this.#browser = browser;
  }

  static async launch(): Promise<Tabs> {
    await using stack = new AsyncDisposableStack();
    const chromium = stack.use(await launchChromium());
    const { page } = await chromium.open();
    const browser = await page.context().browser()!.newBrowserCDPSession();
    return new Tabs(stack.move(), page, browser);
  }

  /** Runs a script in each tab that is opened from now on, before anything else. */
  async before(script: string): Promise<void> {
    await this.#context.addInitScript(script);
  }

  /** Opens a tab whose client connects to `url` with `options`, given as code. */
  async open(url: string, options: string): Promise<Tab> {
    const before = await this.#renderers();
    const page = await this.#context.newPage();
    await page.goto(`${url}/keywire.js`); // any page of that origin
    await page.evaluate(`(async () => {
      const { Keywire } = await import("/keywire.js");
      const heard = { numbers: [], welcomes: 0, gaps: 0 };
      const keywire = new Keywire(location.origin, ${options});
      keywire.on("message", ({ data }) => heard.numbers.push(data.n));
      keywire.on("welcome", () => heard.welcomes++);
      keywire.on("gap", () => heard.gaps++);
      Object.assign(globalThis, { heard, keywire });
    })()`);
    const pid = await waitFor("the tab's process", async () => {
      return (await this.#renderers()).filter((pid) => !before.includes(pid)).at(-1);
    });
    return { page, pid };
  }

  async heard({ page }: Tab): Promise<Heard> {
    return await page.evaluate("({ ...heard, state: keywire.state })") as Heard;
  }

  /** Waits until a tab's client is open. */
  async isOpen(tab: Tab): Promise<void> {
    await waitFor("an open client", async () => (await this.heard(tab)).state === "open");
  }

  /** Waits until a tab has heard the message `n`. */
  async hears(tab: Tab, n: number, timeoutMs = 15_000): Promise<void> {
    await waitFor(
      `message ${n}`,
      async () => (await this.heard(tab)).numbers.includes(n),
      timeoutMs,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#first.close();
    await this.#stack.disposeAsync();
  }

  async #renderers(): Promise<number[]> {
    const { processInfo } = await this.#browser.send("SystemInfo.getProcessInfo");
    return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  }
}
