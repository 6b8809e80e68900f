/** The load generator: a C program, built here, told by options, heard by lines of JSON. */
import { run, succeeds } from "../support/run.ts";
import { bytesOf } from "./templates.ts";

/** How clients of a server connect and what they count. */
export interface Clients {
  readonly framing: "websocket" | "chunked";
  /** What one delivery is: a frame, a line of a frame, a `data:` line. */
  readonly unit: "frames" | "lines" | "data-lines";
  /** How many of these come before the first message. */
  readonly greetings: number;
  readonly handshake: string;
  /** What a client says once it is upgraded. */
  readonly greeting?: string;
}

/** How messages are published. */
export interface Publishing {
  readonly by: "redis" | "http";
  readonly port: number;
  /** How many connections publish. On HTTP each has one request under way. */
  readonly publishers: number;
  readonly request: string;
}

/** What happens once the clients are connected. */
export interface Load {
  readonly publishing: Publishing;
  /** Closed loop: published and not yet received by all who should. */
  readonly inFlight?: number;
  /** Open loop: messages a second. */
  readonly rate?: number;
  /** How many deliveries one message makes: the number of sockets, 1 or 0. */
  readonly deliveries: number;
  readonly warmup: number;
  readonly seconds: number;
  /** Each such socket reads its messages, for latency and order. */
  readonly sampleEvery: number;
}

/** One run of the generator. */
export interface GeneratorOptions {
  readonly port: number;
  readonly sockets: number;
  readonly keys: number;
  readonly clients: Clients;
  /** How many connections are being opened at once. */
  readonly connecting?: number;
  /** From which address of the loopback network they connect: 127.0.0.<this>; 1 by default. */
  readonly address?: number;
  readonly serverPids: readonly number[];
  readonly redisPid: number;
}

/** What connecting took. */
export interface Connected {
  readonly seconds: number;
  readonly serverCpu: number;
}

/** What was seen between two readings of the clock; CPU in seconds. */
export interface Measured {
  readonly seconds: number;
  readonly deliveries: number;
  readonly messages: number;
  readonly serverCpu: number;
  readonly redisCpu: number;
  readonly generatorCpu: number;
  /** Of the server's core, by any process. */
  readonly coreCpu: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** The core that the server has to itself, and the one for everything else. */
export const SERVER_CORE = "0";
/** See {@link SERVER_CORE}. */
export const OTHER_CORE = "1";

/** The built program. */
export class Generator implements AsyncDisposable {
  readonly #dir: string;
  #files = 0;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /**
   * Builds it.
   * @throws when there is no C compiler: the message says what to install.
   */
  static async build(): Promise<Generator> {
    if (!await succeeds("cc", "--version")) {
      throw new Error("The load generator is built by cc: install gcc or clang");
    }
    const dir = await Deno.makeTempDir({ prefix: "keywire-bench-" });
    const source = new URL("./generator/", import.meta.url).pathname;
    const files = ["main.c", "client.c", "publisher.c", "template.c", "report.c"];
    await run(["cc", "-O2", "-Wall", "-o", `${dir}/generator`, ...files.map((f) => source + f)]);
    return new Generator(dir);
  }

  /** Connects, publishes, measures, and checks that every socket got exactly what it should. */
  async measure(options: GeneratorOptions, load: Load): Promise<Measured> {
    await using running = await this.#start(options, load);
    await running.line();
    return await running.line() as Measured;
  }

  /** Connects, runs `then` while all are connected, and leaves. */
  async connect<T>(
    options: GeneratorOptions,
    then: (connected: Connected) => Promise<T>,
  ): Promise<T> {
    await using running = await this.#start(options, undefined);
    return await then(await running.line() as Connected);
  }

  async #start(options: GeneratorOptions, load: Load | undefined): Promise<Running> {
    const { clients, serverPids } = options;
    const flags: [string, string | number][] = [
      ["port", options.port],
      ["sockets", options.sockets],
      ["keys", options.keys],
      ["connecting", options.connecting ?? 100],
      ["address", options.address ?? 1],
      ["framing", clients.framing],
      ["unit", clients.unit],
      ["greetings", clients.greetings],
      ["handshake", await this.#file("handshake", clients.handshake)],
      ["redis-pid", options.redisPid],
      ...serverPids.map((pid): [string, number] => ["server-pid", pid]),
    ];
    if (clients.greeting !== undefined) {
      flags.push(["greeting", await this.#file("greeting", clients.greeting)]);
    }
    if (load === undefined) flags.push(["hold", "true"]);
    else {
      const { publishing } = load;
      flags.push(
        ["publish-by", publishing.by],
        ["publish-port", publishing.port],
        ["publishers", publishing.publishers],
        ["publish", await this.#file("publish", publishing.request)],
        ["deliveries", load.deliveries],
        ["warmup", load.warmup],
        ["seconds", load.seconds],
        ["sample-every", load.sampleEvery],
        ...load.inFlight === undefined ? [] : [["in-flight", load.inFlight] as [string, number]],
        ...load.rate === undefined ? [] : [["rate", load.rate] as [string, number]],
      );
    }
    return new Running(
      new Deno.Command("taskset", {
        args: [
          ...["-c", OTHER_CORE, `${this.#dir}/generator`],
          ...flags.flatMap(([name, value]) => [`--${name}`, `${value}`]),
        ],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn(),
    );
  }

  async #file(name: string, template: string): Promise<string> {
    const path = `${this.#dir}/${name}-${this.#files++}`;
    await Deno.writeFile(path, bytesOf(template));
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#dir, { recursive: true });
  }
}

/** A generator at work. */
class Running implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #stdout: ReadableStreamDefaultReader<string>;
  readonly #complaint: Promise<string>;
  #text = "";

  constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#stdout = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#complaint = new Response(process.stderr).text();
  }

  /** The next line that it writes. */
  async line(): Promise<unknown> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await this.#stdout.read();
      if (done) throw new Error((await this.#complaint).trim() || "generator: ended early");
      this.#text += value;
    }
    const end = this.#text.indexOf("\n");
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return JSON.parse(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stdin.close().catch(() => {});
    await this.#stdout.cancel();
    await this.#complaint;
    await this.#process.status;
  }
}
