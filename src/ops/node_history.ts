import type { NodeInfo } from "../presence/port.ts";

/** What is kept of each node, in this order; NaN where it was not told. */
export const SERIES = [
  "connections",
  "messagesPerSecond",
  "deliveriesPerSecond",
  "lagMs",
  "loopDelayMs",
  "memoryBytes",
] as const;

/** A sample of a node is kept so often, in milliseconds, and so many of them: an hour. */
const EVERY_MS = 10_000;
const SAMPLES = 360;
/** The most nodes that are remembered, those too that are gone. */
const MAX_NODES = 100;

/** A node that was there, and when it was seen last. */
export interface RememberedNode {
  readonly node: NodeInfo;
  /** In milliseconds since 1970. */
  readonly seenAt: number;
  readonly values: ReadonlyMap<number, readonly number[]>;
}

interface Remembered {
  node: NodeInfo;
  seenAt: number;
  readonly values: Map<number, readonly number[]>;
}

/** The last hour of all nodes, sampled from their leases. */
export class NodeHistory implements Disposable {
  readonly #nodes = new Map<string, Remembered>();
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param read the nodes as they are now */
  constructor(read: () => Promise<readonly NodeInfo[]>) {
    const sample = () => read().then((nodes) => this.sample(nodes, Date.now()), () => {});
    this.#timer = setInterval(sample, EVERY_MS);
    sample();
  }

  /** The nodes of the last hour by their ids, those too that are gone. */
  get nodes(): ReadonlyMap<string, RememberedNode> {
    return this.#nodes;
  }

  /** Adds what the nodes are at `now`, and forgets what is older than an hour. */
  sample(nodes: readonly NodeInfo[], now: number): void {
    const at = Math.floor(now / EVERY_MS) * EVERY_MS;
    for (const node of nodes) {
      const remembered = this.#nodes.get(node.id) ?? { node, seenAt: now, values: new Map() };
      this.#nodes.delete(node.id); // the one that was seen last stands last
      this.#nodes.set(node.id, remembered);
      remembered.node = node;
      remembered.seenAt = now - (node.ageMs ?? 0);
      remembered.values.set(at, SERIES.map((name) => read(node, name)));
    }
    const oldest = at - SAMPLES * EVERY_MS;
    for (const [id, { values }] of this.#nodes) {
      for (const time of values.keys()) {
        if (time > oldest) break;
        values.delete(time);
      }
      if (values.size === 0 || this.#nodes.size > MAX_NODES) this.#nodes.delete(id);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function read(node: NodeInfo, name: typeof SERIES[number]): number {
  const value = name === "loopDelayMs" || name === "memoryBytes"
    ? node.figures?.[name]
    : node[name];
  return typeof value === "number" ? value : NaN;
}
