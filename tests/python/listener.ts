import type { Heard } from "../chaos/account.ts";
import type { ChaosClientOptions, ChaosListener } from "../chaos/chaos_client.ts";
import type { Venv } from "../support/venv.ts";
import { waitFor } from "../support/wait.ts";

/** A line that listen.py printed. */
export interface Line {
  readonly kind: "asked" | "Welcome" | "Message" | "Gap" | "Refused";
  /** Seconds since 1970. */
  readonly at: number;
  readonly cursor?: string;
  readonly data?: unknown;
  readonly recovered?: boolean | null;
  readonly lost?: readonly string[];
  readonly sources?: readonly string[];
  readonly code?: number;
  readonly reason?: string;
}

/** What listen.py is told. */
export interface ListenerOptions {
  readonly url: string;
  /** One for each time that the client asks; a single one is given to the client as it is. */
  readonly keys: readonly (string | null)[];
  readonly cursor?: string;
  /** How long it waits for an event at most, in seconds, before it waits again. */
  readonly every?: number;
  /** How often it sends more than a client may, each time behind a welcome. */
  readonly floods?: number;
  readonly min_delay?: number;
  readonly max_delay?: number;
  readonly ping_interval?: number;
}

/** The Python client in a process of its own, and all that it printed. */
export class PythonListener implements AsyncDisposable {
  readonly lines: Line[] = [];
  /** What it logged. */
  log = "";
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<unknown>;
  #ended = false;

  /** @param onLine is called with each line as it comes */
  constructor({ bin }: Venv, options: ListenerOptions, onLine?: (line: Line) => void) {
    this.#child = new Deno.Command(`${bin}/python`, {
      args: [
        "-X",
        "dev",
        new URL("listen.py", import.meta.url).pathname,
        JSON.stringify(options),
      ],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const lines = async () => {
      let rest = "";
      for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
        const parts = (rest + text).split("\n");
        rest = parts.pop()!;
        for (const part of parts) {
          const line = JSON.parse(part) as Line;
          this.lines.push(line);
          onLine?.(line);
        }
      }
    };
    const log = async () => {
      for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
        this.log += text;
      }
    };
    this.#reading = Promise.all([
      lines(),
      log(),
      this.#child.status.then(() => this.#ended = true),
    ]);
  }

  /** The lines of one kind. */
  of(kind: Line["kind"]): Line[] {
    return this.lines.filter((line) => line.kind === kind);
  }

  /** Waits for the line number `count` of a kind. @throws with its log, when it does not come */
  async until(kind: Line["kind"], count = 1): Promise<Line> {
    try {
      return await waitFor(`${count} × ${kind} in Python`, () => {
        if (this.#ended && this.of(kind).length < count) throw new Error("it ended");
        return this.of(kind)[count - 1];
      }, 20_000);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${JSON.stringify(this.lines)}\n${this.log}`);
    }
  }

  /** Ends the process. */
  kill(): void {
    if (!this.#ended) this.#child.kill("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#reading;
  }
}

/** The Python client under chaos: quick to notice and quick to come back. */
export class PythonChaosListener implements ChaosListener {
  readonly recipient: string;
  readonly heard: Heard[] = [];
  reached = -1;
  isOpen = false;
  readonly #listener: PythonListener;

  /** @param processes is told of its process, which ends later than it is disposed of */
  constructor(
    { venv, processes }: { venv: Venv; processes: AsyncDisposableStack },
    url: string,
    { recipient, onWord }: ChaosClientOptions,
  ) {
    this.recipient = recipient;
    const options = { min_delay: 0.1, max_delay: 1, ping_interval: 1.5 };
    const settings = { url, keys: [recipient], ...options };
    this.#listener = processes.use(
      new PythonListener(venv, settings, (line) => {
        if (line.kind === "Message") {
          const { n } = line.data as { n: number };
          this.heard.push(n);
          this.reached = Math.max(this.reached, n);
        } else if (line.kind === "Gap") {
          this.heard.push("told");
          onWord("gap");
        } else if (line.kind === "Welcome") {
          this.isOpen = true;
          if (typeof line.recovered === "boolean") {
            onWord(line.recovered ? "recovered" : "not recovered");
          }
        }
      }),
    );
  }

  /** For people: who it is and how it is. */
  toString(): string {
    return `${this.recipient} in Python, at ${this.reached}: ${this.#listener.log.slice(-500)}`;
  }

  [Symbol.dispose](): void {
    this.#listener.kill();
  }
}
