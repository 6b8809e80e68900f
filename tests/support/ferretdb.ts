/** FerretDB, built from Go's module proxy: it speaks MongoDB where there is no MongoDB. */

import { run } from "./run.ts";
import { say } from "./say.ts";

const VERSION = "1.24.2";
const SOURCE = new URL("ferretdb", import.meta.url).pathname;

/** The path of the program, undefined where it is not in the user's cache yet. */
export async function findFerretdb(): Promise<string | undefined> {
  return await isFile(program()) ? program() : undefined;
}

/**
 * Builds the program, which takes a minute or two. Returns its path.
 * @throws when it cannot be built.
 */
export async function buildFerretdb(): Promise<string> {
  await Deno.mkdir(cacheDir(), { recursive: true });
  await say(`Building FerretDB ${VERSION}, once: this takes a minute or two`);
  // Made aside and moved: a run at the same time, or one that is stopped, leaves no half a program.
  const made = await Deno.makeTempFile({ dir: cacheDir(), prefix: "ferretdb-" });
  await run(["go", "build", "-o", made, "."], { cwd: SOURCE, env: { CGO_ENABLED: "0" } });
  await Deno.rename(made, program());
  return program();
}

function program(): string {
  return `${cacheDir()}/ferretdb-${VERSION}`;
}

function cacheDir(): string {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`;
  return `${cache}/keywire`;
}

async function isFile(path: string): Promise<boolean> {
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false);
}
