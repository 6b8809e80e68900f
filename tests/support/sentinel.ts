/** A Redis Sentinel for tests: one that watches one master and fails over at once. */
import { tellRedis } from "./redis.ts";
import { freePort, waitFor } from "./wait.ts";

/** Starts a Sentinel that knows the master on `masterPort` as `mymaster` and decides alone. */
export async function startSentinel(
  masterPort: number,
): Promise<AsyncDisposable & { port: number }> {
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
    ].join("\n"),
  );
  const process = new Deno.Command("redis-server", {
    args: [config, "--sentinel", "--dir", dir],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await waitFor(`a Sentinel on port ${port}`, async () => {
    return (await tellRedis(port, "PING").catch(() => "")).startsWith("+PONG");
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await process.status;
      await Deno.remove(dir, { recursive: true });
    },
  };
}
