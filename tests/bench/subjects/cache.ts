/** Where peers are kept: outside the repository, as they are no part of it. */
import { run } from "../../support/run.ts";

/** The path of a peer's folder, made if it is not there. */
export async function peerDir(name: string): Promise<string> {
  const cache = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`;
  const dir = `${cache}/keywire/bench/${name}`;
  await Deno.mkdir(dir, { recursive: true });
  return dir;
}

/** Whether a peer was installed: there is such a file. */
export async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

/** Installs exact versions of packages for Node into a peer's folder, once; returns the folder. */
export async function npmInstall(name: string, packages: readonly string[]): Promise<string> {
  const dir = await peerDir(name);
  const stamp = `${dir}/installed`;
  const wanted = packages.join(" ");
  if (await Deno.readTextFile(stamp).catch(() => "") === wanted) return dir;
  await run([
    "npm",
    "install",
    "--silent",
    "--no-audit",
    "--no-fund",
    "--prefix",
    dir,
    ...packages,
  ]);
  await Deno.writeTextFile(stamp, wanted);
  return dir;
}
