/**
 * `deno task test:unit`: runs the tests that need no server, without leave to start one.
 *
 * A test is one of them when neither it nor anything that it imports from `tests` starts a process
 * other than Deno itself, or makes a temporary file.
 */
const ROOT = new URL("../../", import.meta.url);
/** Behind a quote it is a text about a command. */
const NEEDS_LEAVE = /(?<!['"`])(?:new Deno\.Command\((?!Deno\.execPath\(\))|Deno\.makeTemp)/;
/** What takes its time though it needs no server: whole systems, models and memory. */
const SLOW = /^tests\/(?:bench|chaos|soak|deploy|e2e)\/|(?:[/_]model|_memory)_test\.ts$/;

/** The paths of the tests that need no server, from the root of the repository. */
export async function unitTests(): Promise<string[]> {
  const found: string[] = [];
  for await (const path of testsUnder("tests/")) {
    if (SLOW.test(path)) continue;
    if (!await needsLeave(path, new Set())) found.push(path);
  }
  return found.sort();
}

async function* testsUnder(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
    if (isDirectory) yield* testsUnder(`${folder}${name}/`);
    else if (name.endsWith("_test.ts")) yield folder + name;
  }
}

async function needsLeave(path: string, seen: Set<string>): Promise<boolean> {
  if (seen.has(path)) return false;
  seen.add(path);
  const text = await Deno.readTextFile(new URL(path, ROOT));
  if (NEEDS_LEAVE.test(text)) return true;
  for (const [, target] of text.matchAll(/^(?:import|export|\}).*?"(\.[^"]+\.ts)";/gm)) {
    const imported = new URL(target!, new URL(path, ROOT)).href.slice(ROOT.href.length);
    if (imported.startsWith("tests/") && await needsLeave(imported, seen)) return true;
  }
  return false;
}

if (import.meta.main) {
  const deno = Deno.execPath();
  const leave = ["--no-prompt", "--allow-read", "--allow-env", "--allow-sys"];
  const { code } = await new Deno.Command(deno, {
    args: [
      "test",
      "--frozen",
      "--parallel",
      "--v8-flags=--expose-gc",
      ...leave,
      "--allow-net=127.0.0.1,localhost",
      `--allow-run=${deno}`,
      ...Deno.args,
      ...await unitTests(),
    ],
    cwd: ROOT,
    env: { DENO_JOBS: "4" }, // Files at once: they wait more than they work.
  }).spawn().status;
  Deno.exit(code);
}
