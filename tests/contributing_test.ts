/** Follows the recipes of CONTRIBUTING.md as a person does who knows nothing else. */
import { assert, assertEquals } from "@std/assert";
import { openSocket } from "./support/clients.ts";
import config from "../deno.json" with { type: "json" };
import { followRecipe } from "./support/recipe.ts";
import { Shell } from "./support/shell.ts";
import { freePort } from "./support/wait.ts";

const ROOT = new URL("..", import.meta.url).pathname;
/** What a copy of the repository needs, so that the recipes can be followed and checked in it. */
const COPIED = ["src", "tests", "webpage", "docs", "main.ts", "deno.json", "deno.lock"];

const page = await Deno.readTextFile(`${ROOT}CONTRIBUTING.md`);

/** The text under one heading. */
function section(heading: string): string {
  const [, text] = page.split(`\n## ${heading}\n`);
  assert(text !== undefined, `there is no ${heading}`);
  return text.split("\n## ")[0]!;
}

Deno.test("CONTRIBUTING.md: the recipes of a setting and a key store make one that works", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "keywire-recipe-" });
  const shell = new Shell({ cwd: folder, addresses: {} });
  try {
    await shell.run(`cp -r ${COPIED.map((path) => ROOT + path).join(" ")} .`);
    const changed = [
      ...await followRecipe(section("Recipe: a setting"), folder),
      ...await followRecipe(section("Recipe: a key store"), folder),
    ];
    assertEquals(changed.length, 10, changed.join(" "));

    await t.step("it is formatted and linted as the gate wants it", async () => {
      const sources = changed.filter((path) => path.endsWith(".ts")).join(" ");
      await shell.run(`deno fmt --check ${sources} && deno lint ${sources}`);
    });

    await t.step("the contract suite, the house and the settings' tests pass", async () => {
      const tests = [
        "keystores/http_test.ts",
        "house/house_test.ts",
        "ops/startup_test.ts",
        "settings",
      ];
      const output = await shell.run(
        `deno test --frozen -A ${tests.map((path) => `tests/${path}`).join(" ")}`,
      );
      assert(/HttpKeyStore finds the recipients.*ok/.test(output), output);
    });

    await t.step("add-key says that the key belongs elsewhere", async () => {
      const said = await shell.run(
        "! KEY_SERVICE_URL=http://keys.internal/ MONGODB_URL=mongodb://127.0.0.1:1/ " +
          "deno task add-key 2>&1",
      );
      assert(/^KEY_SERVICE_URL names the key store: add the key there/m.test(said), said);
      const nothing = await shell.run("! deno task add-key 2>&1");
      assert(/^KEY_SERVICE_URL or MONGODB_URL is not set: /m.test(nothing), nothing);
    });

    await t.step("a gateway admits who the service knows, and no other", async () => {
      await using service = Deno.serve(
        { hostname: "127.0.0.1", port: 0, onListen: () => {} },
        async (request) => {
          const keys = await request.json() as string[];
          return Response.json(keys.filter((key) => key === "a").map((key) => [key, ["user:1"]]));
        },
      );
      const port = freePort();
      const env = `PORT=${port} KEY_SERVICE_URL=http://127.0.0.1:${service.addr.port}/`;
      await using _gateway = await shell.start(`${env} deno task start`, "serves its page");
      using _socket = await openSocket(`http://127.0.0.1:${port}`, "a");
      const refused = await fetch(`http://127.0.0.1:${port}/events?demo`);
      await refused.body?.cancel();
      assertEquals(refused.status, 403);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** What people run every day, and what the gate runs. */
const DAILY = ["start", "dev", "add-key", "test", "test:unit", "check", "ok"];

Deno.test("CONTRIBUTING.md: the table of tasks has each that is no part of the gate", () => {
  const rows = [...section("The gate").matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name!);
  const tasks = Object.keys(config.tasks).filter((name) => !DAILY.includes(name));
  assertEquals(rows.toSorted(), tasks.toSorted());
});
