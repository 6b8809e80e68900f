import { run } from "./run.ts";
import { say } from "./say.ts";

// RUNLEVEL=1 keeps packages from starting their servers where there is no systemd, as in containers.
const env = { DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };

/** Whether packages can be installed here: on Debian or its kin, as root. */
export async function canInstall(): Promise<boolean> {
  return Deno.build.os === "linux" && Deno.uid() === 0 &&
    await Deno.stat("/usr/bin/apt-get").then(({ isFile }) => isFile, () => false);
}

/** Installs Debian packages, saying so. */
export async function install(...packages: readonly string[]): Promise<void> {
  await say(`Installing ${packages.join(", ")} with apt-get`);
  await apt("update");
  await apt("install", "--yes", "--no-install-recommends", ...packages);
}

function apt(...args: readonly string[]): Promise<void> {
  return run(["apt-get", "-o", "DPkg::Lock::Timeout=120", ...args], { env });
}
