/**
 * `deno task first-minutes`: clones the repository, follows the first sections of its README as they
 * stand, and stops the time until a message is seen on the page in Chromium. `--cold` begins with
 * empty caches of Deno and npm, as on a new machine.
 */
import { launchChromium } from "../support/chromium.ts";
import { blocksOf } from "../support/markdown.ts";
import { startMongodb } from "../support/mongodb.ts";
import { startRedis } from "../support/redis.ts";
import { run } from "../support/run.ts";
import { say } from "../support/say.ts";
import { Shell } from "../support/shell.ts";
import { freePort, waitFor } from "../support/wait.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
/** The page's address in the README. */
const ADDRESS = "localhost:8088";

/** How long each section may take, in seconds. */
const LIMITS = { "Try it": 60, "Your own servers": 300 } as const;

/** The lines for a shell under a heading of the clone's README, in order. */
async function linesOf(clone: string, heading: string): Promise<string[]> {
  const readme = await Deno.readTextFile(`${clone}/README.md`);
  const [, section = ""] = readme.split(`\n## ${heading}\n`);
  const blocks = blocksOf(section.split("\n## ")[0]!);
  const lines = blocks.filter(({ language }) => language === "sh").map(({ code }) => code);
  if (lines.length === 0) throw new Error(`README.md has no lines for a shell in ${heading}`);
  return lines;
}

/** An environment in which nothing is cached yet. */
async function coldCaches(folder: string): Promise<Record<string, string>> {
  const env = { DENO_DIR: `${folder}/deno`, npm_config_cache: `${folder}/npm` };
  for (const path of Object.values(env)) await Deno.mkdir(path);
  return env;
}

/** 8088 as the README has it, or a free port where it is taken. */
function portOfThePage(): number {
  try {
    Deno.listen({ hostname: "127.0.0.1", port: 8088 }).close();
    return 8088;
  } catch {
    return freePort();
  }
}

/** The value of a member of the message that a line publishes: what the page will show. */
function valueIn(lines: string): string {
  const value = /"recipients":\["demo"\],.*?"(?:hello|id)":"(\w+)"/.exec(lines)?.[1];
  if (value === undefined) throw new Error(`There is no message in ${lines}`);
  return value;
}

/** Follows one section; returns how long it took until the message was seen, in milliseconds. */
async function follow(
  heading: keyof typeof LIMITS,
  clone: string,
  { env, addresses = {} }: {
    readonly env: Record<string, string>;
    readonly addresses?: Record<string, string>;
  },
): Promise<number> {
  const port = portOfThePage();
  const url = `http://localhost:${port}`;
  const shell = new Shell({
    cwd: clone,
    addresses: { ...addresses, [ADDRESS]: `localhost:${port}` },
    env: { ...env, PORT: `${port}` },
  });
  const lines = await linesOf(clone, heading);
  const publish = lines.pop()!;
  const start = lines.pop()!;
  const from = performance.now();
  for (const exports of lines) shell.paste(exports);
  await using _gateway = await shell.start(start, "serves its page");
  await using browser = await launchChromium();
  const { page } = await browser.open();
  await page.goto(`${url}/`);
  if (heading === "Your own servers") {
    await page.fill("#key", "demo");
    await page.getByRole("button", { name: "Connect", exact: true }).click();
  }
  await waitFor("the page to be connected", async () => {
    return (await (await fetch(`${url}/metrics`)).text()).includes("\nkeywire_connections 1\n");
  }, 30_000);
  await shell.run(publish);
  await page.getByText(`"${valueIn(publish)}"`).first().waitFor({ state: "visible" });
  return performance.now() - from;
}

/** Tells a time, and whether it keeps the limit. */
async function report(heading: keyof typeof LIMITS, ms: number): Promise<void> {
  const limit = LIMITS[heading];
  await say(`${heading}: a message is seen after ${(ms / 1000).toFixed(1)} s (at most ${limit} s)`);
  if (ms > limit * 1000) Deno.exitCode = 1;
}

const folder = await Deno.makeTempDir({ prefix: "keywire-first-minutes-" });
try {
  const env = Deno.args.includes("--cold") ? await coldCaches(folder) : {};
  const clone = `${folder}/keywire`;
  const from = performance.now();
  await run(["git", "clone", "--quiet", ROOT, clone]);
  const cloned = performance.now() - from;
  await report("Try it", cloned + await follow("Try it", clone, { env }));

  await using redis = await startRedis();
  await using mongodb = await startMongodb();
  const addresses = {
    "redis://localhost:6379": redis.url,
    "mongodb://localhost:27017": mongodb.url,
  };
  await report("Your own servers", await follow("Your own servers", clone, { env, addresses }));
} finally {
  await Deno.remove(folder, { recursive: true });
}
