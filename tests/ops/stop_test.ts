import { assert, assertEquals } from "@std/assert";
import { lastWords } from "../../src/ops/stop.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test("lastWords: waits for what ends in time", async () => {
  using time = new FakeClock();
  const said: string[] = [];
  const task = new Promise<void>((resolve) => setTimeout(resolve, 100)).then(() => {
    said.push("task");
  });
  const done = lastWords([task]).then(() => said.push("done"));
  await time.pass(200);
  await done;
  assertEquals(said, ["task", "done"]);
});

Deno.test("lastWords: a task that never ends delays nothing beyond what a drain leaves", async () => {
  using time = new FakeClock();
  let done = false;
  lastWords([new Promise(() => {})]).then(() => done = true);
  await time.pass(390);
  assertEquals(done, false);
  await time.pass(20);
  assertEquals(done, true);
});

Deno.test("exitBy: the process ends with code 0 just before the deadline, whatever is still to be done", async () => {
  const path = new URL("stopping_program.ts", import.meta.url).pathname;
  for (const [durationMs, leastMs] of [[1_000, 900], [0, 500]] as const) {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "--frozen", "-A", path, String(durationMs)],
      signal: AbortSignal.timeout(20_000), // A process that does not end fails the test.
      stdin: "null",
      stdout: "null",
      stderr: "null",
    });
    const start = performance.now();
    const { code } = await command.output();
    assertEquals(code, 0);
    assert(performance.now() - start >= leastMs, "it ended early");
  }
});
