import { run, succeeds } from "./run.ts";
import { say } from "./say.ts";

/** Whether this Python can make an environment: Debian has `venv` in a package of its own. */
const PROBE = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))";

/** A virtual environment of Python, with packages of PyPI in it. */
export interface Venv {
  /** The path of its folder of programs. */
  readonly bin: string;
}

/**
 * Makes a virtual environment in the cache, unless it is there with the same packages.
 * @param name the name of its folder
 * @param packages as pip takes them, pinned
 * @throws with what to install, where there is no Python that can
 */
export async function makeVenv(name: string, packages: readonly string[]): Promise<Venv> {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
  const dir = `${cache}/keywire/${name}`;
  const bin = `${dir}/bin`;
  const wanted = packages.join("\n");
  if (await Deno.readTextFile(`${dir}/packages.txt`).catch(() => "") === wanted) return { bin };
  if (!await succeeds("python3", "-c", PROBE)) {
    throw new Error(
      "Cannot make a virtual environment as there is no Python 3.11 or later with venv: install " +
        "it (on Debian and Ubuntu: apt-get install python3 python3-venv)",
    );
  }
  await say(`Installing ${packages.join(", ")} into ${dir}`);
  await run(["python3", "-m", "venv", "--clear", dir]);
  await run([`${bin}/pip`, "install", "--quiet", ...packages]);
  await Deno.writeTextFile(`${dir}/packages.txt`, wanted);
  return { bin };
}
