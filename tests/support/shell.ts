import { waitFor } from "./wait.ts";

/** A process that a line of a page has started. */
export interface ShellProcess extends AsyncDisposable {
  /** All that it has printed. */
  readonly output: string;
  /** Whether it has ended. */
  readonly ended: boolean;
}

export interface ShellOptions {
  readonly cwd: string;
  /** What replaces texts of the lines: the addresses of servers, and nothing else. */
  readonly addresses: Readonly<Record<string, string>>;
  /** What the environment holds besides. */
  readonly env?: Readonly<Record<string, string>>;
  /** How long what is started may take to print its text, in milliseconds: a minute by default. */
  readonly startMs?: number;
}

/** A person's shell: runs the lines of a page as they stand, but for the addresses of servers. */
export class Shell {
  readonly #options: ShellOptions;
  #exports = "";

  constructor(options: ShellOptions) {
    this.#options = options;
  }

  /** Pastes lines that every later command begins with. */
  paste(lines: string): void {
    this.#exports += this.#addressed(lines);
  }

  /** Runs `lines` and returns what they printed. @throws with all output, when one of them fails. */
  async run(lines: string, cwd = this.#options.cwd): Promise<string> {
    const command = this.#command(lines, cwd);
    const { success, stdout, stderr } = await command.output();
    const text = new TextDecoder();
    const output = text.decode(stdout);
    if (!success) throw new Error(`${lines}\n${output}${text.decode(stderr)}`);
    return output;
  }

  /** Starts `lines`, whose last one does not end by itself, and waits until it prints `text`. */
  async start(lines: string, text: string): Promise<ShellProcess> {
    const child = this.#command(lines, this.#options.cwd).spawn();
    let output = "";
    let ended = false;
    const reading = [child.stdout, child.stderr].map(async (stream) => {
      for await (const part of stream.pipeThrough(new TextDecoderStream())) output += part;
    });
    const status = child.status.then(() => ended = true);
    const process = {
      get output() {
        return output;
      },
      get ended() {
        return ended;
      },
      async [Symbol.asyncDispose]() {
        // The whole group: the shell, the task, and what it runs.
        if (!ended) Deno.kill(-child.pid, "SIGKILL");
        await status;
        await Promise.all(reading);
      },
    };
    try {
      await waitFor(`${text} of ${lines}`, () => {
        if (ended) throw new Error(`${lines}\n${output}`);
        return output.includes(text);
      }, this.#options.startMs ?? 60_000);
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw new Error(`${(error as Error).message}\n${output}`);
    }
    return process;
  }

  #command(lines: string, cwd: string): Deno.Command {
    const deno = Deno.execPath().replace(/\/[^/]+$/, "");
    return new Deno.Command("setsid", {
      args: ["bash", "-ec", this.#exports + this.#addressed(lines)],
      cwd,
      env: { PATH: `${deno}:${Deno.env.get("PATH")}`, NO_COLOR: "1", ...this.#options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
  }

  #addressed(lines: string): string {
    return Object.entries(this.#options.addresses).reduce(
      (text, [from, to]) => text.replaceAll(from, to),
      lines,
    );
  }
}
