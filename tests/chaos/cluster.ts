import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { Proxy } from "../support/proxy.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { Balancer } from "./balancer.ts";

/** One gateway, on a port that it keeps however often it is started, and its own way to Redis. */
export interface Node {
  process: KeywireProcess;
  readonly network: Proxy;
}

/** How long a node may take to be ready again, in milliseconds. */
const READY_MS = 90_000;

/**
 * Two nodes behind a balancer, on a Redis that has every write in its append-only file before it
 * confirms it (`appendfsync always`): with `everysec` the write itself may wait behind an fsync, and
 * a kill then costs what was confirmed meanwhile.
 */
export class Cluster implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly nodes: readonly Node[];
  readonly balancer: Balancer;
  readonly #env: Record<string, string>;
  readonly #parts: AsyncDisposableStack;

  private constructor(
    parts: { redis: RedisServer; nodes: Node[]; balancer: Balancer; stack: AsyncDisposableStack },
    env: Record<string, string>,
  ) {
    this.redis = parts.redis;
    this.nodes = parts.nodes;
    this.balancer = parts.balancer;
    this.#parts = parts.stack;
    this.#env = env;
  }

  /** Starts Redis, two nodes with `env`, and the balancer. */
  static async start(env: Record<string, string>): Promise<Cluster> {
    await using stack = new AsyncDisposableStack();
    const redis = stack.use(await startRedis({ appendonly: true }));
    const nodes = await Promise.all([0, 1].map(async () => {
      const network = stack.use(new Proxy(redis.port));
      const process = await startNode(freePort(), network, env);
      const node = { process, network };
      stack.defer(() => node.process[Symbol.asyncDispose]()); // The one that runs by then.
      return node;
    }));
    const balancer = stack.use(new Balancer(nodes.map(({ process }) => process.port)));
    return new Cluster({ redis, nodes, balancer, stack: stack.move() }, env);
  }

  /** Starts a node that has ended again. */
  async restart(node: Node): Promise<void> {
    await node.process.ended;
    node.process = await startNode(node.process.port, node.network, this.#env);
  }

  /** Resolves when both nodes are ready. */
  async ready(): Promise<void> {
    for (const { process } of this.nodes) {
      await waitFor("both nodes to be ready", () => isReady(process.url), READY_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts[Symbol.asyncDispose]();
  }
}

function startNode(
  port: number,
  network: Proxy,
  env: Record<string, string>,
): Promise<KeywireProcess> {
  return startKeywire({
    HOST: "127.0.0.1",
    PORT: String(port),
    REDIS_URL: `redis://127.0.0.1:${network.port}`,
    LOG_LEVEL: "warning",
    DRAIN_SECONDS: "3",
    ...env,
  });
}

/** Whether `/ready` of the node at `url` says so. */
export async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/ready`).catch(() => undefined);
  await response?.body?.cancel();
  return response?.ok ?? false;
}
