import config from "../../deno.json" with { type: "json" };
import { freePort, waitFor } from "./wait.ts";

/** A gateway in a process of its own, started as `deno task start` does. */
export interface KeywireProcess extends AsyncDisposable {
  /** `http://<HOST, or 127.0.0.1>:<port>` */
  readonly url: string;
  readonly port: number;
  /** `url`, or that of `INTERNAL_PORT` where it is set: `/ready`, `/metrics` and `/api` are there. */
  readonly internalUrl: string;
  readonly pid: number;
  /** Everything that it has logged, stdout and stderr. */
  readonly log: string;
  /** Its status, once it has ended. */
  readonly ended: Promise<Deno.CommandStatus>;
  /** Sends a signal; SIGKILL by default. */
  kill(signal?: Deno.Signal): void;
  /** Its metrics, by name and labels as printed. */
  metrics(): Promise<Map<string, number>>;
}

export interface KeywireOptions {
  /** Whether to wait until `/ready` says so (true), or only until the process answers. */
  readonly ready?: boolean;
  /** A command before it, such as `["taskset", "-c", "0"]`. */
  readonly prefix?: readonly string[];
}

/**
 * Starts a gateway with `env` and nothing else of this environment but what Deno itself needs.
 * @throws with its log, when it does not come up
 */
export async function startKeywire(
  env: Record<string, string> = {},
  { ready = true, prefix = [] }: KeywireOptions = {},
): Promise<KeywireProcess> {
  const port = Number(env.PORT ?? freePort());
  const root = new URL("../..", import.meta.url).pathname;
  const [program, ...args] = [
    ...prefix,
    Deno.execPath(),
    ...config.tasks.start.command.split(" ").slice(1),
  ];
  const child = new Deno.Command(program!, {
    args,
    cwd: root,
    clearEnv: true,
    env: { ...denoEnv(), PORT: String(port), ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let log = "";
  const reading = Promise.all([child.stdout, child.stderr].map(async (stream) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) log += text;
  }));
  let over = false;
  const ended = child.status.finally(() => over = true);
  const host = env.HOST === undefined || env.HOST === "0.0.0.0" ? "127.0.0.1" : env.HOST;
  const url = `http://${host}:${port}`;
  const internalUrl = env.INTERNAL_PORT === undefined ? url : `http://${host}:${env.INTERNAL_PORT}`;
  const kill = (signal: Deno.Signal = "SIGKILL") => {
    if (!over) child.kill(signal);
  };
  const asyncDispose = async () => {
    kill();
    kill("SIGCONT");
    await ended;
    await reading;
  };
  try {
    await waitFor("the gateway to come up", async () => {
      if (over) throw new Error("the gateway stopped at its start");
      const response = await fetch(ready ? `${internalUrl}/ready` : `${url}/health`).catch(() =>
        undefined
      );
      await response?.body?.cancel();
      return response?.ok;
    }, 60_000);
  } catch (error) {
    await asyncDispose();
    throw new Error(`${(error as Error).message}\n${log}`);
  }
  return {
    url,
    internalUrl,
    port,
    pid: child.pid,
    ended,
    kill,
    get log() {
      return log;
    },
    async metrics() {
      const text = await (await fetch(`${internalUrl}/metrics`)).text();
      const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
      return new Map(lines.map((line) => {
        const at = line.lastIndexOf(" ");
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }));
    },
    [Symbol.asyncDispose]: asyncDispose,
  };
}

function denoEnv(): Record<string, string> {
  const names = ["PATH", "HOME", "DENO_DIR", "XDG_CACHE_HOME", "DENO_CERT", "SSL_CERT_FILE"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
