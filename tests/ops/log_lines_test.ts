/** What a node writes into its log, as JSON: each line a whole object that names the node. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startKeywire } from "../support/gateway.ts";

const TOKEN = "t0ken-of-at-least-thirty-two-characters";
const ROOT = new URL("../../", import.meta.url);

interface Line {
  readonly level: string;
  readonly message: string;
  readonly node: string;
  readonly properties: Record<string, unknown>;
}

function read(log: string): Line[] {
  return log.trimEnd().split("\n").map((line) => JSON.parse(line));
}

Deno.test("the log of a node: each line names it, and one tells the settings without secrets", async () => {
  const gateway = await startKeywire({
    API_TOKEN: TOKEN,
    HISTORY_SECONDS: "60",
    LOG_FORMAT: "json",
  });
  {
    await using stopped = gateway;
    stopped.kill("SIGTERM");
    await stopped.ended;
  }
  const lines = read(gateway.log);
  const [{ node } = { node: "" }] = lines;
  assertMatch(node, /^[0-9a-f]{16}$/);
  assertEquals(lines.filter((line) => line.node !== node), []);
  const told = lines.filter(({ message }) => message.startsWith("Settings: "));
  assertEquals(told.length, 1);
  assert(told[0]!.message.includes("HISTORY_SECONDS=60"), told[0]!.message);
  assert(told[0]!.message.includes("API_TOKEN=set (1)"), told[0]!.message);
  assertEquals((told[0]!.properties.settings as Record<string, string>).DRAIN_SECONDS, "4");
  assert(!gateway.log.includes(TOKEN));
});

Deno.test("a crash: one line of JSON at level fatal, with the stack, and exit code 70", async () => {
  for (const way of ["callback", "promise"]) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--frozen", "-A", "tests/ops/crashing_program.ts", way],
      cwd: ROOT,
    }).output();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    const lines = read(text);
    assertEquals([way, code, lines.length], [way, 70, 1], text);
    const { level, message, node } = lines[0]!;
    assertEquals([level, node], ["FATAL", "0123456789abcdef"]);
    assertMatch(message, /^Cannot go on, and exits: Error: a bug\nof two lines\n +at .*faulty/);
  }
});
