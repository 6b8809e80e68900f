import { TextLineStream } from "./text_lines.ts";

/** A node in a process of its own, and the truth about its sockets. */
export class NodeProcess implements AsyncDisposable {
  readonly sockets: string[] = [];
  isFrozen = false;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;

  constructor(url: string, { graceMs = 0 } = {}) {
    const program = new URL("node_program.ts", import.meta.url).pathname;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "-A", program, url, String(graceMs)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  async connect(recipient: string): Promise<void> {
    this.sockets.push(recipient);
    await this.#send(`add ${recipient}`);
  }

  async close(recipient: string): Promise<void> {
    const at = this.sockets.indexOf(recipient);
    if (at < 0) return;
    this.sockets.splice(at, 1);
    await this.#send(`remove ${recipient}`);
  }

  /** Sends a line and returns what it answers. */
  async ask<T>(line: string): Promise<T> {
    await this.#send(line);
    const { value } = await this.#output.read();
    return JSON.parse(value!) as T;
  }

  /** Stops it where it stands (SIGSTOP). */
  freeze(): void {
    this.isFrozen = true;
    this.#child.kill("SIGSTOP");
  }

  /** Lets it go on. */
  thaw(): void {
    this.isFrozen = false;
    this.#child.kill("SIGCONT");
  }

  /** Has it leave in peace. */
  async leave(): Promise<void> {
    await this.ask("leave");
    await this.#end();
  }

  /** Ends it at once (SIGKILL). */
  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #end(): Promise<void> {
    await this.#child.status;
    await this.#input.abort().catch(() => {});
    await this.#output.cancel().catch(() => {});
  }

  async #send(line: string): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
  }
}
