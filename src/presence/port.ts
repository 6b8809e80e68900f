import type { PartHealth } from "../core/part_health.ts";
import type { ConnectionFailureCount } from "../redis/connection_failures.ts";

/** How one recipient is present, over all nodes. */
export interface RecipientPresence {
  /** Open sockets. */
  readonly sockets: number;
  /** Since when there has been one, in milliseconds since 1970. */
  readonly since?: number;
}

/**
 * Presence says which recipients are there, and tells backends when that changes: `connected` when
 * the first socket of a recipient appears anywhere, `disconnected` when the last one is gone
 * everywhere.
 */
export interface Presence extends AsyncDisposable {
  /** One more socket of each of `recipients` on this node. Never waits and never throws. */
  add(recipients: readonly string[]): void;
  /** One socket less of each of `recipients` on this node. Never waits and never throws. */
  remove(recipients: readonly string[]): void;
  /**
   * Who of `recipients` is there, over all nodes. Absent from the answer: offline.
   * @throws {PresenceUnavailable} where that is not known
   */
  lookUp(recipients: readonly string[]): Promise<ReadonlyMap<string, RecipientPresence>>;
  /**
   * The connections of all living nodes.
   * @throws {PresenceUnavailable} where that is not known
   */
  size(): Promise<number>;
  /** How often a notice or a record was refused; each is tried again. */
  readonly refusals: number;
  /** What it did beside, for the metrics. */
  readonly stats: PresenceStats;
  /** Whether notices are taken: what is refused is tried again until it is. Its name is `notices`. */
  readonly part: PartHealth;
  /** Why it cannot be told now who is there, in one line without secrets; undefined while it can. */
  readonly unhealthyReason: string | undefined;
  /** Resolves when every notice that is owed now was published, or was given up. */
  settled(): Promise<void>;
}

/** What a notice says. */
export type NoticeKind = "connected" | "disconnected";

/** What presence did, for the metrics. */
export interface PresenceStats {
  /** Notices that this node published, as far as it was told that they were. */
  readonly notices: ReadonlyMap<NoticeKind, number>;
  /** Nodes that were gone without a word, whose recipients this one removed. */
  readonly reapedNodes: number;
  /** Connections that ended, and attempts that failed, by their reason. */
  readonly connectionFailures: readonly ConnectionFailureCount[];
}

/** What a node says of itself beside its address, renewed every few seconds. */
export interface NodeReport {
  readonly version: string;
  /** Since when it has run, in milliseconds since 1970. */
  readonly since: number;
  readonly connections: number;
  /** Messages that came from the bus, and messages handed to connections, a second. */
  readonly messagesPerSecond?: number;
  readonly deliveriesPerSecond?: number;
  /** For how long it has been ready for clients, in seconds; absent while it is not. */
  readonly readySeconds?: number;
  /** How far it trails the stream, in milliseconds; absent where that is not known. */
  readonly lagMs?: number;
  /** What is wrong with it, one line without secrets. */
  readonly trouble?: string | undefined;
  /** Whether it goes away. */
  readonly isDraining?: boolean;
  /** What operators see of it; absent where a node of another version does not tell it. */
  readonly figures?: NodeFigures;
}

/** Counts by a reason out of a fixed set, those that are not 0, since the node began. */
export type ReasonCounts = Readonly<Record<string, number>>;

/** What operators see of a node: numbers, and reasons out of fixed sets. */
export interface NodeFigures {
  /** As `/ready` tells it. */
  readonly status: "ready" | "starting" | "draining" | "deaf";
  /** The names of its parts that are not well, as `/ready` names them. */
  readonly partsDown: readonly string[];
  /** The worst delay of its event loop in the last few seconds, in milliseconds. */
  readonly loopDelayMs: number;
  /** Resident memory. */
  readonly memoryBytes: number;
  /** Slots in use, of `slotsMax`. */
  readonly slots: number;
  readonly slotsMax: number;
  /** What waits for slow clients, in about bytes. */
  readonly backlogBytes: number;
  /** How long its last probe took through Redis, in milliseconds. */
  readonly probeMs?: number;
  /** Connects that were refused, by reason. */
  readonly refused: ReasonCounts;
  /** Malformed envelopes, by reason. */
  readonly dropped: ReasonCounts;
  /** Connections that ended, by close code. */
  readonly closed: ReasonCounts;
  /** Places where messages may have been lost, by source. */
  readonly gaps: ReasonCounts;
}

/** What is known of a node. */
export interface NodeStatus extends NodeReport {
  /** Where other nodes reach it, `<address>:<port>`, as far as it is known. */
  readonly address: string;
}

/** A node that lives. */
export interface NodeInfo extends NodeStatus {
  /** No other node has or had the same. */
  readonly id: string;
  /** Whether it is the node that answers. */
  readonly isThis: boolean;
  /** How long ago it renewed its lease, in milliseconds, as far as this node knows. */
  readonly ageMs?: number;
}

/** The node that a lease is of: one that was reaped goes on under another lease. */
export function nodeIdOf(leaseId: string): string {
  return leaseId.split("-")[0]!;
}

/** The view of all nodes. */
export interface NodeRegistry {
  /**
   * The nodes that live, as of the last few seconds.
   * @throws {PresenceUnavailable} where that is not known
   */
  nodes(): Promise<readonly NodeInfo[]>;
  /** Whether the node `id`, which lived, went by itself, and not without a word. */
  hasLeft(id: string): boolean;
}

/** Who is there is not known: the registry does not answer, or lost its data a moment ago. */
export class PresenceUnavailable extends Error {
  override name = "PresenceUnavailable";
}
