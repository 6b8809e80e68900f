import type { PartHealth } from "../../src/core/part_health.ts";
import { type KeyStore, MemoryKeyStore, StoreUnavailable } from "../../src/keystores/mod.ts";

/** One question that a store was asked. */
export interface Question {
  readonly keys: readonly string[];
  readonly signal: AbortSignal;
}

/** A store that counts what it is asked, and answers at once or when it is told. */
export class WatchedStore implements KeyStore {
  /** Every question so far. */
  readonly questions: Question[] = [];
  /** The most questions that were under way at once. */
  most = 0;
  readonly #store: KeyStore;
  #underWay = 0;
  #held: PromiseWithResolvers<void> | undefined;

  constructor(store: KeyStore = new MemoryKeyStore()) {
    this.#store = store;
  }

  get status(): "up" | "down" {
    return this.#store.status;
  }

  get part(): PartHealth {
    return this.#store.part;
  }

  /** Answers nothing from now on. */
  hold(): void {
    this.#held = Promise.withResolvers();
  }

  /** Answers what it was asked, and what it will be. */
  release(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  async find(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, readonly string[]>> {
    this.questions.push({ keys, signal });
    this.most = Math.max(this.most, ++this.#underWay);
    try {
      const aborted = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => aborted.resolve());
      await Promise.race([this.#held?.promise, aborted.promise]);
      if (signal.aborted) throw new StoreUnavailable("Cannot look keys up: the time is over");
      return await this.#store.find(keys, signal);
    } finally {
      this.#underWay--;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}
