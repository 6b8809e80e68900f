import { type PartHealth, PartStatus } from "../core/part_health.ts";
import { type KeyStore, StoreUnavailable } from "./port.ts";

/** The embedded key store: the keys are in this process, and change only by `set` and `remove`. */
export class MemoryKeyStore implements KeyStore {
  readonly status = "up";
  readonly part: PartHealth = new PartStatus("store", { now: Date.now() });
  readonly #recipients = new Map<string, readonly string[]>();

  /** @param keys the keys that may connect, each its own recipient */
  constructor(keys: Iterable<string> = []) {
    for (const key of keys) this.set(key);
  }

  /** From now on `key` may connect and hears for `recipients`. */
  set(key: string, recipients: readonly string[] = [key]): void {
    this.#recipients.set(key, [...new Set(recipients)]);
  }

  /** From now on `key` may not connect. */
  remove(key: string): void {
    this.#recipients.delete(key);
  }

  // deno-lint-ignore require-await -- async makes the refusal a rejection, as the port says
  async find(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, readonly string[]>> {
    if (signal.aborted) throw new StoreUnavailable("Cannot look keys up: the time is over");
    const found = new Map<string, readonly string[]>();
    for (const key of keys) {
      const recipients = this.#recipients.get(key);
      if (recipients !== undefined) found.set(key, recipients);
    }
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
