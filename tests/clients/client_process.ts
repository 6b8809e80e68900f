import { waitFor } from "../support/wait.ts";
import type { Client } from "./client.ts";
import type { Start } from "./workshop.ts";

/** A line of a client's program. */
export type Told =
  | { readonly is: "open" }
  | { readonly is: "frame"; readonly text: string }
  | { readonly is: "event"; readonly name: string; readonly text: string; readonly id?: string }
  | { readonly is: "refused"; readonly status: number }
  | { readonly is: "closed"; readonly code?: number | null; readonly message?: string }
  | { readonly is: "error"; readonly message: string };

export interface ClientProcessOptions {
  readonly start: Start;
  /** `http://127.0.0.1:<port>` of the gateway. */
  readonly url: string;
  readonly key: string;
  /** The cursor to begin at. */
  readonly after?: string;
  /** Hears each line as it comes, for the person who looks for a fault. */
  readonly onTold?: (told: Told) => void;
}

/** A client's program while it runs, and all that it told. */
export class ClientProcess implements AsyncDisposable {
  readonly client: Client;
  readonly key: string;
  /** All lines so far, in order. */
  readonly told: Told[] = [];
  /** The messages as the client got them, in order. */
  readonly messages: string[] = [];
  /** How many of them were judged; one that comes twice later is found in the next trial. */
  judged = 0;
  readonly #onTold: (told: Told) => void;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void[]>;
  #hasEnded = false;
  #errors = "";

  constructor(
    client: Client,
    { start, url, key, after = "", onTold = () => {} }: ClientProcessOptions,
  ) {
    this.client = client;
    this.#onTold = onTold;
    this.key = key;
    const [program, ...args] = start.command;
    this.#child = new Deno.Command(program, {
      args,
      cwd: start.cwd,
      env: { KEYWIRE_URL: url, KEYWIRE_KEY: key, KEYWIRE_AFTER: after },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child.status.then(() => this.#hasEnded = true);
    this.#reading = Promise.all([this.#readLines(), this.#readErrors()]);
  }

  /** Whether the program has come to its end. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** What it wrote to stderr. */
  get errors(): string {
    return this.#errors;
  }

  /** The newest cursor that the client got; empty before the first. */
  get cursor(): string {
    for (const told of this.told.toReversed()) {
      if (told.is === "event" && told.id) return told.id;
      if (told.is !== "frame") continue;
      return JSON.parse(told.text.split("\n").at(-1)!).cursor;
    }
    return "";
  }

  /** Resolves with whether `count` messages came within `timeoutMs`, or the program's end. */
  async hears(count: number, timeoutMs: number): Promise<boolean> {
    const isOver = () => this.messages.length >= count || this.#hasEnded;
    await waitFor(`${count} messages`, isOver, timeoutMs).catch(() => {});
    return this.messages.length >= count;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#hasEnded) this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#reading;
  }

  async #readLines(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (line !== "") this.#take(JSON.parse(line));
    }
  }

  async #readErrors(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#errors += text;
    }
  }

  #take(told: Told): void {
    this.told.push(told);
    this.#onTold(told);
    if (told.is === "event" && told.name === "message") this.messages.push(told.text);
    if (told.is !== "frame") return;
    for (const line of told.text.split("\n")) {
      // Cut out and not parsed: its bytes are what is judged.
      const message = /^\{"type":"message","cursor":"[^"]*","message":(.*)\}$/s.exec(line)?.[1];
      if (message !== undefined) this.messages.push(message);
    }
  }
}
