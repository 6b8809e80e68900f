import { answers, type MongodbServer } from "./mongodb_server.ts";
import { freePort, waitFor } from "./wait.ts";

/** The command line that serves `dir` on `port` of 127.0.0.1. */
export type CommandLine = (port: number, dir: string) => readonly [string, ...string[]];

/** A server process of its own, with a temporary data directory. */
export class MongodbProcess implements MongodbServer {
  readonly #port = freePort();
  readonly url = `mongodb://127.0.0.1:${this.#port}/`;
  readonly #dir = Deno.makeTempDirSync({ prefix: "keywire-mongodb-" });
  readonly #commandLine: CommandLine;
  #process: Deno.ChildProcess | undefined;

  constructor(commandLine: CommandLine) {
    this.#commandLine = commandLine;
  }

  async start(): Promise<void> {
    const [command, ...args] = this.#commandLine(this.#port, this.#dir);
    const stdio = { stdin: "null", stdout: "null", stderr: "null" } as const;
    const process = new Deno.Command(command, { args, ...stdio }).spawn();
    this.#process = process;
    let ended: number | undefined;
    process.status.then(({ code }) => ended = code);
    await answers(this.url, () => {
      if (ended !== undefined) throw new Error(`${command} ended with code ${ended} at its start`);
    });
  }

  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    process?.kill("SIGKILL");
    await process?.status;
  }

  async freeze(): Promise<void> {
    const process = this.#process;
    if (process === undefined) return;
    process.kill("SIGSTOP");
    await waitFor("every thread to stop", () => isStopped(process.pid));
  }

  // deno-lint-ignore require-await -- other servers need time for it
  async thaw(): Promise<void> {
    this.#process?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#dir, { recursive: true });
  }
}

/** A busy machine lets threads run on for a while after SIGSTOP, and answer. Only Linux tells. */
async function isStopped(pid: number): Promise<boolean> {
  if (Deno.build.os !== "linux") return true;
  for await (const { name } of Deno.readDir(`/proc/${pid}/task`)) {
    const stat = await Deno.readTextFile(`/proc/${pid}/task/${name}/stat`);
    if (!/\) T /.test(stat)) return false;
  }
  return true;
}
