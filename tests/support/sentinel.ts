/** A Redis Sentinel for tests: one that watches one master and fails over at once. */
import { Redis } from "ioredis";
import { tellRedis } from "./redis.ts";
import { freePort, waitFor } from "./wait.ts";

/** A Sentinel that runs. */
export interface Sentinel extends AsyncDisposable {
  readonly port: number;
  /** Sends one command, as its user where it has one. */
  tell(...command: readonly string[]): Promise<string>;
}

/** Starts a Sentinel that knows the master on `masterPort` as `mymaster` and decides alone. */
export async function startSentinel(
  masterPort: number,
  { username, password }: { readonly username?: string; readonly password?: string } = {},
): Promise<Sentinel> {
  const port = freePort();
  const dir = await Deno.makeTempDir({ prefix: "keywire-sentinel-" });
  const config = `${dir}/sentinel.conf`;
  await Deno.writeTextFile(
    config,
    [
      "bind 127.0.0.1",
      `port ${port}`,
      `sentinel monitor mymaster 127.0.0.1 ${masterPort} 1`,
      "sentinel down-after-milliseconds mymaster 500",
      "sentinel failover-timeout mymaster 5000",
      ...username === undefined
        ? []
        : [`user ${username} on >${password} ~* &* +@all`, "user default off"],
    ].join("\n"),
  );
  const process = new Deno.Command("redis-server", {
    args: [config, "--sentinel", "--dir", dir],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await waitFor(`a Sentinel on port ${port}`, async () => {
    return (await tellRedis(port, "PING").catch(() => "")).match(/^(\+PONG|-NOAUTH)/);
  });
  return {
    port,
    async tell(...command) {
      const options = { port, username, password, protocol: 2, enableReadyCheck: false } as const;
      const client = new Redis({ ...options, replyMapping: "legacy", lazyConnect: true });
      try {
        await client.connect();
        return String(await client.call(...command as [string, ...string[]]));
      } finally {
        client.disconnect();
      }
    },
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await process.status;
      await Deno.remove(dir, { recursive: true });
    },
  };
}
