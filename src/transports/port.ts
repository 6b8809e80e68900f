import type { CloseReason } from "../core/close_codes.ts";

/**
 * A transport turns HTTP requests into connections: it checks its own handshake, asks the gateway to
 * admit the key, upgrades, and gives the gateway a {@link Sink} to write to.
 *
 * There is no `read`: what a client says is the transport's own affair (`ping`), and it goes nowhere.
 */
export interface Sink {
  /**
   * The bytes that this sink takes now without piling them up in the runtime: zero or less means
   * wait. What is owed beyond that stays in the outbox.
   */
  readonly room: number;
  /**
   * The bytes handed over that the peer has not taken yet, by this sink's own account. It only
   * shrinks when the peer reads, so a peer for which it stands still has stalled.
   */
  readonly pending: number;
  /** Writes one text. Never waits and never throws; after `close` it does nothing. */
  send(text: string): void;
  /** Ends the connection for `reason`. Never throws; the second call does nothing. */
  close(reason: CloseReason): void;
}
