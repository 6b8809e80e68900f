/**
 * Presence knows which recipients are there, and tells backends when that changes: `connected` when
 * the first connection of a recipient appears, `disconnected` when the last one is gone.
 */
export interface Presence extends AsyncDisposable {
  /** One more connection of each of `recipients` on this node. Never waits and never throws. */
  add(recipients: readonly string[]): void;
  /** One connection less of each of `recipients` on this node. Never waits and never throws. */
  remove(recipients: readonly string[]): void;
  /**
   * Which of `recipients` are there, on any node; those that are not are absent.
   * @throws {PresenceUnavailable} when that cannot be known now
   */
  lookUp(recipients: readonly string[]): Promise<ReadonlyMap<string, RecipientPresence>>;
  /**
   * How many connections there are on all nodes.
   * @throws {PresenceUnavailable} when that cannot be known now
   */
  size(): Promise<number>;
  /** Resolves when every notice that is owed now was published, or was given up. */
  settled(): Promise<void>;
}

/** A recipient that is there. */
export interface RecipientPresence {
  /** How many connections it has, on all nodes. */
  readonly sockets: number;
  /** Since when it has had any, in milliseconds since 1970; undefined where that is not known. */
  readonly since?: number;
}

/** Presence cannot be asked now: its server gives no answer. */
export class PresenceUnavailable extends Error {
  override name = "PresenceUnavailable";
}
