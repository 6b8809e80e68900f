/** What the start task permits: no more than what is needed. */
import { assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { freePort, waitFor } from "../support/wait.ts";

const [, ...COMMAND] = config.tasks.start.command.split(" ");
const PERMISSIONS = ["--allow-net", "--allow-env", "--allow-read=webpage"];

/** Starts without the permission `left`. Returns whether it serves its page. */
async function servesWithout(left: string): Promise<boolean> {
  const port = freePort();
  await using child = new Deno.Command(Deno.execPath(), {
    args: COMMAND.filter((flag) => flag !== left),
    cwd: new URL("../../", import.meta.url).pathname,
    env: { PORT: String(port) },
    stdout: "null",
    stderr: "null",
  }).spawn();
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  const response = await waitFor("an answer, or an end", async () => {
    if (hasEnded) return new Response(null, { status: 500 });
    return await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
  }, 30_000);
  await response.body?.cancel();
  return response.ok;
}

Deno.test("start task: permits the network, the environment and the page, and nothing else", () => {
  const flags = COMMAND.filter((flag) =>
    /^(?:-[A-Z]|--(?:allow|deny|ignore|permission))/.test(flag)
  );
  assertEquals(flags, PERMISSIONS);
  assertEquals(COMMAND.includes("--no-prompt"), true);
});

Deno.test("start task: without any one of its permissions it does not serve its page", async () => {
  const without = ["", ...PERMISSIONS];
  const served = await Promise.all(without.map(servesWithout));
  assertEquals(served, [true, false, false, false]);
});
