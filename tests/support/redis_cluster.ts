import { type RedisServer, startRedis } from "./redis.ts";
import { waitFor } from "./wait.ts";

/** A Cluster of three masters. */
export interface RedisCluster extends AsyncDisposable {
  readonly servers: readonly RedisServer[];
  /** As `REDIS_URL` has it. */
  readonly url: string;
  /** Resolves when every master knows every other. */
  settled(): Promise<void>;
}

/** Starts three masters on free ports; where one is away, the others go on with their slots. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const stack = new AsyncDisposableStack();
  const servers: RedisServer[] = [];
  const args = [
    ...["--cluster-enabled", "yes", "--cluster-require-full-coverage", "no"],
    ...["--cluster-node-timeout", "2000"],
  ];
  for (let at = 0; at < 3; at++) servers.push(stack.use(await startRedis({ args })));
  for (const [at, [from, to]] of [[0, 5460], [5461, 10922], [10923, 16383]].entries()) {
    await servers[at]!.tell("CLUSTER", "ADDSLOTSRANGE", `${from}`, `${to}`);
    await servers[0]!.tell("CLUSTER", "MEET", "127.0.0.1", `${servers[at]!.port}`);
  }
  const settled = async () => {
    for (const server of servers) {
      await waitFor("the Cluster", async () => {
        const info = await server.tell("CLUSTER", "INFO");
        return /cluster_state:ok[^]*cluster_slots_ok:16384[^]*cluster_known_nodes:3/.test(info);
      }, 30_000);
    }
  };
  await settled();
  return {
    servers,
    settled,
    url: `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}
