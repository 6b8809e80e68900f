import type { Fired } from "./watched.ts";
import { waitFor } from "../support/wait.ts";

const CLIENT = new URL("../../webpage/keywire.js", import.meta.url).href;

/** The runtimes that the client is for beside browsers, with what runs a module from stdin. */
export const RUNTIMES = {
  Deno: [Deno.execPath(), "run", "-A", "--no-lock", "--ext=js", "-"],
  Node: ["node", "--input-type=module", "-"],
} as const;

/** A program that connects and prints what its client fires, a line an event. */
const program = (url: string, options: string) => `
import { Keywire } from ${JSON.stringify(CLIENT)};
const keywire = new Keywire(${JSON.stringify(url)}, ${options});
for (const type of ["message", "welcome", "gap", "close", "state"]) {
  keywire.addEventListener(type, (event) => {
    console.log(JSON.stringify({ ...JSON.parse(JSON.stringify(event)), type }));
  });
}
`;

/** A program in a runtime of its own that listens with the client. */
export class ClientProgram implements AsyncDisposable {
  readonly fired: Fired[] = [];
  /** Its exit code, once it has ended by itself. */
  readonly ended: Promise<number>;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #over = false;

  constructor(
    runtime: keyof typeof RUNTIMES,
    url: string,
    options: Readonly<Record<string, unknown>>,
  ) {
    const [name, ...args] = RUNTIMES[runtime];
    this.#child = new Deno.Command(name, { args, stdin: "piped", stdout: "piped" }).spawn();
    this.ended = this.#child.status.then(({ code }) => code).finally(() => this.#over = true);
    this.#reading = this.#read(program(url, JSON.stringify(options)));
  }

  /** The events of one type so far. */
  of(type: string): Fired[] {
    return this.fired.filter((event) => event.type === type);
  }

  /** Waits until `count` events of a type were fired, and returns the last one. */
  async until(type: string, count = 1): Promise<Fired> {
    await waitFor(`${count} × ${type}`, () => this.of(type).length >= count);
    return this.of(type)[count - 1]!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) this.#child.kill("SIGKILL");
    await this.ended;
    await this.#reading;
  }

  async #read(source: string): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(source));
    await writer.close();
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      this.fired.push(...lines.map((line) => JSON.parse(line)));
    }
  }
}
