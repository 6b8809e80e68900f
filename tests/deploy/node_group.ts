import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { NODE_HOSTS } from "./proxies.ts";

/** Two gateways or more with the same ports, as on machines of their own, to stand behind a proxy. */
export class NodeGroup implements AsyncDisposable {
  readonly port: number = freePort();
  readonly internalPort: number = freePort();
  readonly #env: Record<string, string>;
  readonly #nodes: KeywireProcess[] = [];

  private constructor(env: Record<string, string>) {
    this.#env = env;
  }

  /**
   * Starts two nodes with `env`, and the second one with `ofSecond` besides; waits for both to be
   * ready, or where `ofSecond` is given only for the first one.
   */
  static async start(
    env: Record<string, string>,
    ofSecond?: Record<string, string>,
  ): Promise<NodeGroup> {
    return await new NodeGroup(env).#startAll([undefined, ofSecond]);
  }

  /** Starts `count` nodes with `env`, at most as many as `NODE_HOSTS` has, and waits for all. */
  static async startMany(count: number, env: Record<string, string>): Promise<NodeGroup> {
    return await new NodeGroup(env).#startAll(Array.from({ length: count }, () => undefined));
  }

  /** The processes that run now, the first one first. */
  get nodes(): readonly KeywireProcess[] {
    return this.#nodes;
  }

  /**
   * Restarts a node as a deploy does: SIGTERM, wait for its end, start it anew, wait for `/ready`.
   * @returns its exit code, and when (by `performance.now()`) it was told to go
   */
  async restart(index: number): Promise<{ code: number; at: number }> {
    const node = this.#nodes[index]!;
    const at = performance.now();
    node.kill("SIGTERM");
    const { code } = await node.ended;
    await node[Symbol.asyncDispose]();
    await this.#start(index);
    return { code, at };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node[Symbol.asyncDispose]()));
  }

  async #startAll(ofEach: readonly (Record<string, string> | undefined)[]): Promise<this> {
    try {
      await Promise.all(ofEach.map((ofThis, index) => this.#start(index, ofThis)));
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
    return this;
  }

  async #start(index: number, ofThis?: Record<string, string>): Promise<void> {
    const HOST = NODE_HOSTS[index]!;
    const node = await startKeywire({
      TRUSTED_PROXIES: NODE_HOSTS[0],
      ...this.#env,
      ...ofThis,
      HOST,
      PORT: String(this.port),
      INTERNAL_PORT: String(this.internalPort),
    }, { ready: false });
    this.#nodes[index] = node;
    if (ofThis !== undefined) return;
    await waitFor(`node ${index + 1} to be ready`, async () => {
      const response = await fetch(`http://${HOST}:${this.internalPort}/ready`)
        .catch(() => undefined);
      await response?.body?.cancel();
      return response?.ok;
    }, 30_000);
  }
}
