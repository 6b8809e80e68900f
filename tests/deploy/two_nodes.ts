import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { NODE_HOSTS } from "./proxies.ts";

/** Two gateways with the same ports, as on two machines, to stand behind a proxy. */
export class TwoNodes implements AsyncDisposable {
  readonly port: number = freePort();
  readonly internalPort: number = freePort();
  readonly #env: Record<string, string>;
  readonly #nodes: KeywireProcess[] = [];

  private constructor(env: Record<string, string>) {
    this.#env = env;
  }

  /**
   * Starts both with `env`, and the second one with `ofSecond` besides; waits for both to be ready,
   * or where `ofSecond` is given only for the first one.
   */
  static async start(
    env: Record<string, string>,
    ofSecond?: Record<string, string>,
  ): Promise<TwoNodes> {
    const two = new TwoNodes(env);
    try {
      await Promise.all([two.#start(0), two.#start(1, ofSecond)]);
    } catch (error) {
      await two[Symbol.asyncDispose]();
      throw error;
    }
    return two;
  }

  /** The processes that run now, the first one first. */
  get nodes(): readonly KeywireProcess[] {
    return this.#nodes;
  }

  /**
   * Restarts a node as a deploy does: SIGTERM, wait for its end, start it anew, wait for `/ready`.
   * @returns its exit code, and when (by `performance.now()`) it was told to go
   */
  async restart(index: 0 | 1): Promise<{ code: number; at: number }> {
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
