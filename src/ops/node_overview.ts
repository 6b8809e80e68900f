import { nodeIdOf, type NodeInfo, type NodeRegistry, type NodeReport } from "../presence/port.ts";
import type { NodeHistory } from "./node_history.ts";
import { type NodeState, nodeState, probe } from "./node_state.ts";

/** A node as the operators' page shows it. */
export interface NodeRow extends NodeInfo {
  readonly state: NodeState | "unknown";
  /** When its lease was seen last, in milliseconds since 1970. */
  readonly seenAt: number;
}

export interface NodeOverviewOptions {
  readonly registry: NodeRegistry;
  readonly history: NodeHistory;
  /** What this node says of itself, where the registry cannot be asked. */
  readonly report: () => NodeReport;
  readonly nodeId: string;
}

/** A node that is gone is shown for so long, in milliseconds. */
const SHOWN_MS = 600_000;
/** Several pages that ask at about one time get one answer, in milliseconds. */
const CACHED_MS = 900;

/** All nodes and what each is: those too that have gone within the last minutes. */
export class NodeOverview {
  readonly #options: NodeOverviewOptions;
  #answer: Promise<readonly NodeRow[]> | undefined;
  #answeredAt = -Infinity;

  constructor(options: NodeOverviewOptions) {
    this.#options = options;
  }

  /** The nodes, the one that answers first. */
  rows(): Promise<readonly NodeRow[]> {
    const now = performance.now();
    if (this.#answer !== undefined && now - this.#answeredAt < CACHED_MS) return this.#answer;
    this.#answeredAt = now;
    return this.#answer = this.#read();
  }

  async #read(): Promise<readonly NodeRow[]> {
    const { registry, history } = this.#options;
    const now = Date.now();
    const nodes = await registry.nodes().catch(() => undefined);
    if (nodes !== undefined) history.sample(nodes, now);
    const here = nodes ?? [this.#self()];
    const others = [...history.nodes.values()].filter(({ node, seenAt }) =>
      now - seenAt < SHOWN_MS && !here.some((one) => isSameNode(one, node))
    );
    const rows = await Promise.all([
      ...here.map(async (node) => ({
        ...node,
        state: await nodeState(node),
        seenAt: now - (node.ageMs ?? 0),
      })),
      ...others.map(async ({ node, seenAt }) => ({
        ...node,
        isThis: false,
        state: await stateOfMissing(node, {
          isKnown: nodes !== undefined,
          hasLeft: node.isDraining === true || registry.hasLeft(node.id),
        }),
        seenAt,
      })),
    ]);
    return rows.sort((a, b) =>
      Number(b.isThis) - Number(a.isThis) || a.address.localeCompare(b.address) ||
      b.since - a.since
    );
  }

  #self(): NodeInfo {
    const { report, nodeId, history } = this.#options;
    const known = [...history.nodes.values()].findLast(({ node }) => node.isThis)?.node;
    const { id = nodeId, address = "unknown" } = known ?? {};
    return { ...report(), id, address, isThis: true };
  }
}

/** Of a node that has no lease any more, or of which Redis does not tell. */
async function stateOfMissing(
  node: NodeInfo,
  { isKnown, hasLeft }: { readonly isKnown: boolean; readonly hasLeft: boolean },
): Promise<NodeRow["state"]> {
  const found = await probe(node.address);
  if (hasLeft && found === "gone") return "stopped";
  return found !== "answers" ? found : isKnown ? "cut_off" : "unknown";
}

/** A process that was reaped goes on under another epoch; one that is restarted, at the same address. */
function isSameNode(one: NodeInfo, other: NodeInfo): boolean {
  return nodeIdOf(one.id) === nodeIdOf(other.id) ||
    (one.address === other.address && one.since >= other.since);
}
