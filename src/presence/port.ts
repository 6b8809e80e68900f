/**
 * Presence says which recipients are there, and tells backends when that changes: `connected` when
 * the first connection of a recipient appears, `disconnected` when the last one is gone.
 */
export interface Presence extends AsyncDisposable {
  /** One more connection of each of `recipients`. Never waits and never throws. */
  arrived(recipients: readonly string[]): void;
  /** One connection less of each of `recipients`. Never waits and never throws. */
  left(recipients: readonly string[]): void;
  /** Resolves when every notice that is owed now was published, or was given up. */
  settled(): Promise<void>;
}
