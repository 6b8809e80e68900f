import { answers, type MongodbServer } from "./mongodb_server.ts";
import { freePort } from "./wait.ts";

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

  // deno-lint-ignore require-await -- other servers need time for it
  async freeze(): Promise<void> {
    this.#process?.kill("SIGSTOP");
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
