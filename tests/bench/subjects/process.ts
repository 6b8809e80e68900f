/** Starting a peer, alone on the server's core. */
import { waitFor } from "../../support/wait.ts";
import { SERVER_CORE } from "../generator.ts";

/** A peer's process that serves HTTP on `port`. */
export interface PeerProcess extends AsyncDisposable {
  readonly pid: number;
}

/** Starts a command and waits until something answers HTTP on `port` of 127.0.0.1. */
export async function startPeer(
  port: number,
  command: readonly string[],
  { env = {}, cwd }: { env?: Record<string, string>; cwd?: string } = {},
): Promise<PeerProcess> {
  const child = new Deno.Command("taskset", {
    args: ["-c", SERVER_CORE, ...command],
    env,
    ...cwd === undefined ? {} : { cwd },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const complaint = new Response(child.stderr).text();
  let over = false;
  const ended = child.status.then(() => over = true);
  const asyncDispose = async () => {
    if (!over) child.kill("SIGKILL");
    await ended;
    await complaint;
  };
  try {
    await waitFor(`${command[0]} to answer on port ${port}`, async () => {
      if (over) throw new Error(`${command.join(" ")} ended: ${(await complaint).slice(-500)}`);
      const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
      await response?.body?.cancel();
      return response !== undefined;
    }, 20_000);
  } catch (error) {
    await asyncDispose();
    throw error;
  }
  return { pid: child.pid, [Symbol.asyncDispose]: asyncDispose };
}
