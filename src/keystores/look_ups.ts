import { type KeyStore, StoreUnavailable } from "./port.ts";

/** How look-ups travel. */
export interface LookUpsOptions {
  /** How long one look-up may take, its waiting included, in milliseconds. */
  readonly timeoutMs: number;
  /** How many keys travel in one question. */
  readonly maxKeys?: number;
  /** How many questions may be under way at once. */
  readonly maxBatches?: number;
  /** How many keys may wait for their question; beyond it look-ups fail at once. */
  readonly maxWaiting?: number;
  /** How long look-ups are gathered after a question was sent, in milliseconds. */
  readonly gatherMs?: number;
}

interface LookUp {
  readonly key: string;
  readonly deadline: number;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly answer: PromiseWithResolvers<readonly string[] | undefined>;
}

/**
 * Look-ups that arrive together travel together. The first one goes out at the end of its turn, so
 * a lone client waits for nothing; those that come within `gatherMs` after it share the next
 * question. A storm of connects thus costs the store a few questions, however fast it answers.
 *
 * Nothing is kept beyond the answer, and no answer is a refusal: it fails closed.
 */
export class LookUps {
  readonly #store: KeyStore;
  readonly #options: Required<LookUpsOptions>;
  readonly #waiting = new Map<string, LookUp>();
  readonly #asked = new Map<string, LookUp>();
  #batches = 0;
  #sent = -Infinity;
  #scheduled = false;

  constructor(
    store: KeyStore,
    { timeoutMs, maxKeys = 500, maxBatches = 4, maxWaiting = 20_000, gatherMs = 20 }:
      LookUpsOptions,
  ) {
    this.#store = store;
    this.#options = { timeoutMs, maxKeys, maxBatches, maxWaiting, gatherMs };
  }

  /**
   * The recipients of `key`, undefined when it may not connect. A key that is being asked about is
   * not asked about again: who comes later shares the answer, and its deadline.
   * @throws {StoreUnavailable} when there is no answer in time, or too many look-ups wait.
   */
  recipients(key: string): Promise<readonly string[] | undefined> {
    const shared = this.#waiting.get(key) ?? this.#asked.get(key);
    if (shared !== undefined) return shared.answer.promise;
    const { timeoutMs, maxWaiting } = this.#options;
    if (this.#waiting.size >= maxWaiting) {
      return Promise.reject(new StoreUnavailable("Cannot look a key up: too many look-ups wait"));
    }
    const lookUp: LookUp = {
      key,
      deadline: performance.now() + timeoutMs,
      timer: setTimeout(() => this.#expire(lookUp), timeoutMs),
      answer: Promise.withResolvers(),
    };
    this.#waiting.set(key, lookUp);
    this.#schedule();
    return lookUp.answer.promise;
  }

  /**
   * From now on nobody shares the answer to a question that was sent before: call it where rights
   * were just withdrawn, as a question under way may still see them.
   */
  renew(): void {
    this.#asked.clear();
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    if (this.#batches >= this.#options.maxBatches) return; // The next answer calls again.
    this.#scheduled = true;
    const gather = this.#sent + this.#options.gatherMs - performance.now();
    if (gather > 0) setTimeout(() => this.#send(), gather);
    else queueMicrotask(() => this.#send());
  }

  #send(): void {
    this.#scheduled = false;
    const { maxKeys, maxBatches } = this.#options;
    do {
      const batch = [...this.#waiting.values().take(maxKeys)];
      if (batch.length === 0) return;
      for (const lookUp of batch) {
        this.#waiting.delete(lookUp.key);
        this.#asked.set(lookUp.key, lookUp);
      }
      this.#ask(batch);
    } while (this.#waiting.size >= maxKeys && this.#batches < maxBatches);
    this.#schedule();
  }

  async #ask(batch: readonly LookUp[]): Promise<void> {
    this.#batches++;
    this.#sent = performance.now();
    const deadline = new AbortController();
    const last = batch.at(-1)?.deadline ?? this.#sent;
    const timer = setTimeout(() => deadline.abort(), Math.max(0, last - this.#sent));
    try {
      const found = await this.#store.find(batch.map(({ key }) => key), deadline.signal);
      for (const lookUp of batch) lookUp.answer.resolve(found.get(lookUp.key));
    } catch (error) {
      for (const lookUp of batch) lookUp.answer.reject(error);
    } finally {
      clearTimeout(timer);
      for (const lookUp of batch) this.#forget(lookUp);
      this.#batches--;
      this.#schedule();
    }
  }

  #expire(lookUp: LookUp): void {
    this.#forget(lookUp);
    lookUp.answer.reject(
      new StoreUnavailable(`Cannot look a key up: no answer within ${this.#options.timeoutMs} ms`),
    );
  }

  #forget(lookUp: LookUp): void {
    clearTimeout(lookUp.timer);
    for (const lookUps of [this.#waiting, this.#asked]) {
      if (lookUps.get(lookUp.key) === lookUp) lookUps.delete(lookUp.key);
    }
  }
}
