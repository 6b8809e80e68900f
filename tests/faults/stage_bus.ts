/** What stands for Redis, and where a backend publishes. */
import { Proxy } from "../support/proxy.ts";
import { type RedisServer, startRedis, tellRedis } from "../support/redis.ts";
import { startRedisCluster } from "../support/redis_cluster.ts";
import { type Sentinel, startSentinel } from "../support/sentinel.ts";
import { waitFor } from "../support/wait.ts";
import type { StageOptions } from "./stage.ts";

/** The servers of one stage. */
export interface Bus extends AsyncDisposable {
  /** As `REDIS_URL` has it. */
  readonly url: string;
  /** The server, the master, or the Cluster's master of the stream first. */
  readonly servers: readonly RedisServer[];
  /** What stands between the nodes and one server; a Sentinel and a Cluster name addresses of their own. */
  readonly network: Proxy | undefined;
  readonly sentinel: Sentinel | undefined;
  /** The ports where entries, and messages of the channel, are taken now. */
  ports(): Promise<{ readonly stream: number; readonly channel: number }>;
}

/** Starts what `options` ask for. */
export async function startBus(options: StageOptions): Promise<Bus> {
  await using parts = new AsyncDisposableStack();
  const bus = await open(options, parts);
  const owned = parts.move();
  return { ...bus, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

type Servers = Omit<Bus, typeof Symbol.asyncDispose>;

async function open(options: StageOptions, parts: AsyncDisposableStack): Promise<Servers> {
  const args = options.redisArgs ?? [];
  if (options.bus === "cluster") return await openCluster(parts);
  if (options.bus === "sentinel") return await openSentinel(args, parts);
  const server = parts.use(await startRedis({ appendonly: true, args }));
  const network = parts.use(new Proxy(server.port));
  const ports = { stream: server.port, channel: server.port };
  return {
    url: `redis://127.0.0.1:${network.port}`,
    servers: [server],
    network,
    sentinel: undefined,
    ports: () => Promise.resolve(ports),
  };
}

async function openSentinel(
  args: readonly string[],
  parts: AsyncDisposableStack,
): Promise<Servers> {
  const master = parts.use(await startRedis({ appendonly: true, args }));
  const replica = parts.use(
    await startRedis({
      args: ["--replicaof", "127.0.0.1", `${master.port}`, "--repl-diskless-sync-delay", "0"],
    }),
  );
  const sentinel = parts.use(await startSentinel(master.port));
  await waitFor("the replica to be known", async () => {
    const info = await sentinel.tell("SENTINEL", "REPLICAS", "mymaster");
    return info.includes(`${replica.port}`) && info.includes("master-link-status,ok");
  }, 20_000);
  return {
    url: `redis+sentinel://127.0.0.1:${sentinel.port}/mymaster`,
    servers: [master, replica],
    network: undefined,
    sentinel,
    async ports() {
      const address = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"] as const;
      const port = Number((await tellRedis(sentinel.port, ...address)).trim().split("\r\n").at(-1));
      return { stream: port, channel: port };
    },
  };
}

async function openCluster(parts: AsyncDisposableStack): Promise<Servers> {
  const { url, servers } = parts.use(await startRedisCluster());
  const slot = Number((await servers[0]!.tell("CLUSTER", "KEYSLOT", "my_stream")).slice(1));
  const at = Math.floor(slot / 5461);
  const sorted = [servers[at]!, ...servers.filter((_, index) => index !== at)];
  const ports = { stream: sorted[0]!.port, channel: sorted[1]!.port };
  return {
    url,
    servers: sorted,
    network: undefined,
    sentinel: undefined,
    ports: () => Promise.resolve(ports),
  };
}
