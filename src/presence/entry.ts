import type { Shard } from "./shard.ts";

/**
 * What a node knows of one recipient: the truth, that is how many sockets it has here, and what the
 * record in Redis holds as far as that was confirmed.
 */
export class Entry {
  /** Sockets on this node. */
  sockets = 0;
  /** Since when there has been one, in milliseconds since 1970. */
  since = 0;
  /** The sockets that the node's field says; undefined: there is no field. */
  written: number | undefined;
  /** Under which epoch the field was sent last. */
  epoch = "";
  /** Earlier epochs under which there may still be one. */
  former: string[] | undefined;
  /** The announcement that stands; empty where there is none, or where that is not known. */
  announced = "";
  /** Whether the field is to be written again, whatever is known of it. */
  isStale = false;
  /** Whether what was announced is to be restored in a record that lost it. */
  restores = false;
  /** Until when the recipient counts as present without a socket, by the node's clock. */
  heldUntil = 0;
  /** Until when no other node can have withdrawn the announcement: the field says that it is held. */
  sureUntil = Infinity;
  /** Whether a removal was sent that was not answered. */
  wasTried = false;
  /** Whether the removal was confirmed: what is left is the memory of it. */
  isGone = false;
  /**
   * The announcements that removals ended lately, with commas between them: one that comes back with
   * lost writes is stale.
   */
  withdrawn = "";
  /** Whether the node's set of names holds it. */
  isNamed = false;
  /** Stops the timer of `heldUntil`. */
  stopHold: (() => void) | undefined;
  /** Whether a command for it is under way. */
  isBusy = false;

  constructor(readonly recipient: string, public shard: Shard) {}
}

/** One command for an entry, and what the entry was when it was made. */
export interface Step {
  readonly entry: Entry;
  readonly kind: "put" | "announce" | "remove";
  /** The node's epoch; of a removal, the one under which the field was sent. */
  readonly epoch: string;
  readonly sockets: number;
  /** How a removal is to be done. */
  readonly mode: "own" | "leave";
  /** Whether a record without `!` gets what was announced. */
  readonly restores: boolean;
  /** Whether this is the first attempt, so that a missing field means that it was lost. */
  readonly isFirst: boolean;
}
