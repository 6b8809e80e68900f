/** What a node tells the others of its load. */
export interface NodeLoad {
  /** Whether it is the node that asks. */
  readonly isThis: boolean;
  /** Open connections. */
  readonly connections: number;
  /** For how long it has been ready, in seconds; absent while it is not. */
  readonly readySeconds?: number | undefined;
  /** Whether it goes away. */
  readonly isDraining?: boolean | undefined;
}

/** A node has too many connections above this many times the mean. */
const MOST = 1.2;
/** How long a node must have been ready before it counts, in seconds: balancers send to it then. */
const SETTLED_SECONDS = 10;

/** The nodes that a balancer sends clients to: ready for 10 s, and not going away. */
export function settledNodes<N extends NodeLoad>(nodes: readonly N[]): readonly N[] {
  return nodes.filter(({ readySeconds = 0, isDraining }) =>
    readySeconds >= SETTLED_SECONDS && !isDraining
  );
}

/**
 * How many connections this node has above 1.2 × the mean of the {@link settledNodes}; 0 where it is
 * none of these itself. Never so many that it would have less than the mean: two nodes could else hand
 * one client to and fro.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const other = { isThis: false, connections: 0, readySeconds: 10 };
 * assertEquals(surplus([{ isThis: true, connections: 1_000, readySeconds: 90 }, other]), 400);
 * ```
 */
export function surplus(nodes: readonly NodeLoad[]): number {
  const settled = settledNodes(nodes);
  const own = settled.find(({ isThis }) => isThis)?.connections ?? 0;
  const mean = connectionsOf(settled) / settled.length;
  if (!(own > MOST * mean)) return 0;
  return Math.min(Math.ceil(own - MOST * mean), Math.floor(own - mean));
}

/** What the {@link settledNodes} have above 1.2 × their mean, all together. */
export function excess(nodes: readonly NodeLoad[]): number {
  const settled = settledNodes(nodes);
  const mean = connectionsOf(settled) / settled.length;
  return settled.reduce((sum, { connections }) => sum + Math.max(0, connections - MOST * mean), 0);
}

/** The connections of `nodes`, all together. */
export function connectionsOf(nodes: readonly NodeLoad[]): number {
  return nodes.reduce((sum, { connections }) => sum + connections, 0);
}
