/** A real Redis for tests: killed, started again and frozen as the test likes. */
import { freePort, waitFor } from "./wait.ts";

/** How a test's Redis is started. */
export interface RedisServerOptions {
  /** Whether every write is on disk before it is acknowledged, so that a kill loses nothing. */
  appendonly?: boolean;
  /** More of the server's settings, as on its command line: `["--cluster-enabled", "yes"]`. */
  args?: readonly string[];
}

/** A redis-server of its own on a free port of 127.0.0.1, with a temporary directory. */
export class RedisServer implements AsyncDisposable {
  readonly port: number = freePort();
  readonly url: string = `redis://127.0.0.1:${this.port}`;
  readonly #dir: string = Deno.makeTempDirSync({ prefix: "keywire-redis-" });
  readonly #options: RedisServerOptions;
  #process: Deno.ChildProcess | undefined;

  constructor(options: RedisServerOptions = {}) {
    this.#options = options;
  }

  /** Starts the server, with the data of the last time if they were kept, and waits for its answer. */
  async start(): Promise<void> {
    const { appendonly = false, args = [] } = this.#options;
    const options = {
      bind: "127.0.0.1",
      port: this.port,
      dir: this.#dir,
      save: "",
      appendonly: appendonly ? "yes" : "no",
      appendfsync: "always",
    };
    this.#process = new Deno.Command("redis-server", {
      args: [
        ...Object.entries(options).flatMap(([key, value]) => [`--${key}`, `${value}`]),
        ...args,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await waitFor(`Redis on port ${this.port}`, async () => {
      return (await this.tell("PING").catch(() => "")).match(/^(\+PONG|-NOAUTH)/);
    });
  }

  /** Sends one command, as {@link tellRedis} does. */
  tell(...command: readonly string[]): Promise<string> {
    return tellRedis(this.port, ...command);
  }

  /** Ends the process at once, as a crash does (SIGKILL). */
  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    process?.kill("SIGKILL");
    await process?.status;
  }

  /** Stops the process where it stands: its connections stay open and nothing answers (SIGSTOP). */
  freeze(): void {
    this.#process?.kill("SIGSTOP");
  }

  /** Lets a frozen process go on (SIGCONT). */
  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#dir, { recursive: true });
  }
}

/** Starts a real redis-server on a free port of 127.0.0.1. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = new RedisServer(options);
  await server.start();
  return server;
}

/** Sends one command to the server on `port`, on a connection of its own, and returns the raw reply. */
export async function tellRedis(port: number, ...command: readonly string[]): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const encoder = new TextEncoder();
  const parts = command.map((part) => `$${encoder.encode(part).length}\r\n${part}\r\n`);
  const request = encoder.encode(`*${command.length}\r\n${parts.join("")}`);
  for (let at = 0; at < request.length;) at += await connection.write(request.subarray(at));
  const reply = new Uint8Array(65_536);
  const read = await connection.read(reply);
  return new TextDecoder().decode(reply.subarray(0, read ?? 0));
}
