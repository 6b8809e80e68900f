import { getLogger } from "@logtape/logtape";
import type { Connection } from "../core/delivery/connection.ts";
import { MoveTrial } from "../core/move_trial.ts";
import { connectionsOf, excess, settledNodes, surplus } from "../core/surplus.ts";
import { type NodeInfo, type NodeRegistry, PresenceUnavailable } from "../presence/mod.ts";
import { repeat } from "./repeat.ts";

const log = getLogger(["keywire", "rebalancing"]);

/** How often the nodes are compared, in milliseconds. */
const EVERY_MS = 1_000;
/** The part of this node's connections that may be sent away in a second. */
const RATE = 0.01;
/** Clients leave within this time, so that they do not come elsewhere at one moment, in milliseconds. */
const SPREAD_MS = 1_000;
/**
 * How long there must be a surplus until clients are sent away, in milliseconds: a node that is gone
 * without a word counts until its lease is over, and its clients cannot go there.
 */
const LASTING_MS = 12_000;
/** How long a client that was told counts as gone, though it is still there, in milliseconds. */
const LEAVING_MS = 10_000;

type Candidate = Pick<Connection, "format" | "attached" | "ended">;

/** What a {@link Rebalancing} needs. */
export interface RebalancingOptions<C extends Candidate> {
  /** The open connections, the longest open first. */
  readonly connections: ReadonlyMap<C, unknown>;
  readonly registry: Pick<NodeRegistry, "nodes">;
  /** Tells a client to close by itself and come back after `retryMs`. */
  readonly sendReconnect: (connection: C, retryMs: number) => void;
  /** A monotonic clock, in milliseconds. */
  readonly now: () => number;
}

/**
 * Sends clients away while this node has more than its share, so that a balancer can give them to
 * others: at most 1 % of the connections a second, the longest connected ones first, each once.
 * Clients of `keywire.v1` alone, as they come back without a loss. A client that does not obey stays.
 */
export class Rebalancing<C extends Candidate = Connection> implements Disposable {
  readonly #options: RebalancingOptions<C>;
  /** Connections that were told to leave, and when. */
  readonly #told = new Map<C, number>();
  readonly #trial = new MoveTrial();
  #allowance = 0;
  #sent = 0;
  #isBusy = false;
  #isStuck = false;
  #surplusSince: number | undefined;
  #rounds: Disposable | undefined;

  constructor(options: RebalancingOptions<C>) {
    this.#options = options;
  }

  /** How many connections were sent away so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Compares the nodes each second. */
  start(): void {
    this.#rounds = repeat(() => this.check(), EVERY_MS);
  }

  /** Compares the nodes once, and sends away what one second allows. Never throws. */
  async check(): Promise<void> {
    const { connections, registry } = this.#options;
    // What was not used in one second is no right to more in the next, but for a part of a client.
    const each = RATE * connections.size;
    this.#allowance = Math.min(this.#allowance + each, Math.max(1, each));
    let nodes;
    try {
      nodes = await registry.nodes();
    } catch (error) {
      if (!(error instanceof PresenceUnavailable)) {
        log.error("Cannot rebalance: {error}", { error });
      }
      return; // It is not known what the others have.
    }
    const leaving = this.#leaving();
    const staying = connections.size - leaving;
    const seen = nodes.map((node) => node.isThis ? { ...node, connections: staying } : node);
    const tooMany = surplus(seen);
    const now = this.#options.now();
    this.#surplusSince = tooMany === 0 ? undefined : this.#surplusSince ?? now;
    const isLasting = this.#surplusSince !== undefined && now - this.#surplusSince >= LASTING_MS;
    this.#report({ tooMany: isLasting ? tooMany : 0, staying, nodes: nodes.length });
    if (!isLasting) return;
    this.#judge(seen);
    if (this.#trial.isPaused(now)) return;
    this.#sendAway(Math.min(tooMany, Math.floor(this.#allowance)));
  }

  [Symbol.dispose](): void {
    this.#rounds?.[Symbol.dispose]();
  }

  /** Pauses when clients land on nodes that have too many, whatever this one does. */
  #judge(nodes: readonly NodeInfo[]): void {
    const settled = settledNodes(nodes);
    const failed = this.#trial.judge({
      nodes: settled.map(({ id }) => id),
      excess: excess(nodes),
      own: settled.find(({ isThis }) => isThis)!.connections,
      total: connectionsOf(settled),
      now: this.#options.now(),
    });
    if (failed === undefined) return;
    const { told, pauseMs } = failed;
    log.warn(
      "Rebalancing is of no use: {told} clients were sent away, and most came back to nodes that " +
        "have too many; none is sent away for {seconds} s. Let the balancer choose the node with " +
        "the fewest connections, and see that it reaches all nodes, or set REBALANCE=0",
      { told, seconds: pauseMs / 1000 },
    );
  }

  /** How many were told of late and are still there: they count as gone. */
  #leaving(): number {
    const since = this.#options.now() - LEAVING_MS;
    let leaving = 0;
    for (const [connection, at] of this.#told) {
      if (connection.ended) this.#told.delete(connection);
      else if (at >= since) leaving++;
    }
    return leaving;
  }

  #sendAway(count: number): void {
    const { connections, sendReconnect, now } = this.#options;
    let left = count;
    for (const connection of connections.keys()) {
      if (left === 0) break;
      if (connection.format.name !== "v1" || !connection.attached) continue;
      if (this.#told.has(connection)) continue;
      sendReconnect(connection, Math.round(Math.random() * SPREAD_MS));
      this.#told.set(connection, now());
      left--;
    }
    const told = count - left;
    this.#allowance -= told;
    this.#sent += told;
    this.#trial.add(told);
    if (count > 0 && told === 0 && !this.#isStuck) {
      log.info("Rebalancing: the surplus stays, as no client of keywire.v1 is left to be told");
    }
    if (count > 0) this.#isStuck = told === 0;
  }

  #report(
    { tooMany, staying, nodes }: { tooMany: number; staying: number; nodes: number },
  ): void {
    if (this.#isBusy === tooMany > 0) return;
    this.#isBusy = tooMany > 0;
    const counts = { connections: staying, nodes, surplus: tooMany };
    if (this.#isBusy) {
      log.info("Rebalancing: {surplus} of {connections} connections are above its share", counts);
    } else {
      log.info("Rebalanced: {connections} connections stay", counts);
    }
  }
}
