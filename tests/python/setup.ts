/** Makes what `deno task test:python` needs, or says in one line what to install. */
import { run } from "../support/run.ts";
import { say } from "../support/say.ts";
import { makeVenv, type Venv } from "../support/venv.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
/** Both ends of the range that its pyproject.toml allows. */
const WEBSOCKETS = { newest: "17.4", oldest: "14.0" };

/** The virtual environment with the newest, or the oldest, library that the client works with. */
export function pythonVenv(age: keyof typeof WEBSOCKETS): Promise<Venv> {
  return makeVenv(`python-${age}`, [`websockets==${WEBSOCKETS[age]}`, "mypy==2.4.1"]);
}

/** Installs the Python client of this repository into a virtual environment, as it is now. */
export async function installClient({ bin }: Venv): Promise<void> {
  const copy = await Deno.makeTempDir({ prefix: "keywire-python-" });
  try {
    // The build leaves nothing in the repository.
    await run(["cp", "-r", `${ROOT}clients/python/.`, copy]);
    await run([`${bin}/pip`, "install", "--quiet", "--force-reinstall", "--no-deps", copy]);
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
}

if (import.meta.main) {
  try {
    await pythonVenv("newest");
    await pythonVenv("oldest");
  } catch (error) {
    await say((error as Error).message);
    Deno.exit(1);
  }
}
