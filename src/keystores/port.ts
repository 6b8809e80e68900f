import type { PartHealth } from "../core/part_health.ts";

/**
 * The key store says who may connect, and for whom they listen.
 *
 * It answers with records, not with a yes: a key is a secret that a browser presents, a recipient is
 * a name that messages are addressed to.
 */
export interface KeyStore extends AsyncDisposable {
  /**
   * The recipients of each of `keys` that may connect now; a key that may not is absent.
   * The answer is never older than the call. Recipients are distinct, in the order of the store.
   * @throws {StoreUnavailable} when there is no answer before `signal` aborts, or none to be had.
   */
  find(keys: readonly string[], signal: AbortSignal): Promise<Map<string, readonly string[]>>;

  /** `up` when the last question was answered, `down` when it was not (or none was asked yet). */
  readonly status: "up" | "down";

  /** The same, with the reason and since when; its name is `store`. */
  readonly part: PartHealth;
}

/** The key store gave no answer: whether the key may connect is not known. */
export class StoreUnavailable extends Error {
  override name = "StoreUnavailable";
}
