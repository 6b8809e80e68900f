import { Buckets } from "../core/buckets.ts";
import { Tally } from "../core/tally.ts";
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
  /** How long they are gathered at most while it has no answer, in milliseconds. */
  readonly slowMs?: number;
}

/** How a look-up ends, for the metrics. */
export const LOOK_UP_RESULTS = ["found", "unknown", "unavailable", "overload"] as const;

/** What look-ups came to, for the metrics. */
export interface LookUpCounts {
  readonly results: ReadonlyMap<(typeof LOOK_UP_RESULTS)[number], number>;
  /** How long the store took for each question, in seconds, answered or not. */
  readonly seconds: Buckets;
  /** How many keys each question had. */
  readonly batchSizes: Buckets;
  /** Look-ups that have no answer yet. */
  readonly open: number;
}

const BOUNDS = {
  seconds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  batchSizes: [1, 2, 5, 10, 20, 50, 100, 200, 500],
};

interface LookUp {
  readonly key: string;
  readonly deadline: number;
  readonly answer: PromiseWithResolvers<readonly string[] | undefined>;
}

/**
 * Look-ups that arrive together travel together. The first one goes out at the end of its turn, so
 * a lone client waits for nothing; those that come within `gatherMs` after it, or before its answer,
 * share the next question. A storm of connects thus costs the store a few questions, however fast it
 * answers, and a slow one fewer. After `slowMs` they go without that answer, which may never come.
 *
 * Nothing is kept beyond the answer, and no answer is a refusal: it fails closed.
 */
export class LookUps {
  readonly #store: KeyStore;
  readonly #options: Required<LookUpsOptions>;
  readonly #waiting = new Map<string, LookUp>();
  readonly #asked = new Map<string, LookUp>();
  /** All that have no answer, in the order of their deadlines: one timer does for them. */
  readonly #open = new Set<LookUp>();
  readonly #results = new Tally<(typeof LOOK_UP_RESULTS)[number]>(LOOK_UP_RESULTS);
  readonly #seconds = new Buckets(BOUNDS.seconds);
  readonly #batchSizes = new Buckets(BOUNDS.batchSizes);
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #batches = 0;
  #sent = -Infinity;
  /** Whether a question goes out at the end of this turn, or the timer at which one does. */
  #isDue = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    store: KeyStore,
    { timeoutMs, maxKeys = 500, maxBatches = 4, maxWaiting = 20_000, gatherMs = 20, slowMs = 250 }:
      LookUpsOptions,
  ) {
    this.#store = store;
    this.#options = { timeoutMs, maxKeys, maxBatches, maxWaiting, gatherMs, slowMs };
  }

  /** What became of them so far. */
  get counts(): LookUpCounts {
    return {
      results: this.#results.counts,
      seconds: this.#seconds,
      batchSizes: this.#batchSizes,
      open: this.#open.size,
    };
  }

  /**
   * The recipients of `key`, undefined when it may not connect. A key that is being asked about is
   * not asked about again: a later caller shares the answer and its deadline.
   * @throws {StoreUnavailable} when there is no answer in time, or too many look-ups wait.
   */
  recipients(key: string): Promise<readonly string[] | undefined> {
    const shared = this.#waiting.get(key) ?? this.#asked.get(key);
    if (shared !== undefined) return shared.answer.promise;
    const { timeoutMs, maxWaiting, maxKeys } = this.#options;
    if (this.#waiting.size >= maxWaiting) {
      this.#results.add("overload");
      return Promise.reject(new StoreUnavailable("Cannot look a key up: too many look-ups wait"));
    }
    const lookUp: LookUp = {
      key,
      deadline: performance.now() + timeoutMs,
      answer: Promise.withResolvers(),
    };
    this.#waiting.set(key, lookUp);
    this.#open.add(lookUp);
    this.#expiry ??= setTimeout(() => this.#expire(), timeoutMs);
    if (this.#timer === undefined || this.#waiting.size === maxKeys) this.#schedule();
    return lookUp.answer.promise;
  }

  /**
   * From now on no look-up shares the answer to a question that was sent before. Call it when rights
   * were withdrawn: a question under way may still see them.
   */
  renew(): void {
    this.#asked.clear();
  }

  /** Has what waits sent when its time has come, which an answer brings forward. */
  #schedule(): void {
    const { maxKeys, maxBatches, gatherMs, slowMs } = this.#options;
    if (this.#isDue) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0 || this.#batches >= maxBatches) return;
    const gather = this.#sent + (this.#batches === 0 ? gatherMs : slowMs) - performance.now();
    this.#isDue = gather <= 0 || this.#waiting.size >= maxKeys;
    if (this.#isDue) queueMicrotask(() => this.#send());
    else this.#timer = setTimeout(() => this.#send(), gather);
  }

  #send(): void {
    const { maxKeys, maxBatches } = this.#options;
    this.#isDue = false;
    this.#timer = undefined;
    do {
      const batch = [...this.#waiting.values().take(maxKeys)];
      if (batch.length === 0) break;
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
    const sentAt = this.#sent = performance.now();
    this.#batchSizes.observe(batch.length);
    const deadline = new AbortController();
    const last = batch.at(-1)?.deadline ?? this.#sent;
    const timer = setTimeout(() => deadline.abort(), Math.max(0, last - this.#sent));
    try {
      const found = await this.#store.find(batch.map(({ key }) => key), deadline.signal);
      for (const lookUp of batch) {
        const recipients = found.get(lookUp.key);
        if (this.#open.has(lookUp)) this.#results.add(recipients ? "found" : "unknown");
        lookUp.answer.resolve(recipients);
      }
    } catch (error) {
      for (const lookUp of batch) {
        if (this.#open.has(lookUp)) this.#results.add("unavailable");
        lookUp.answer.reject(error);
      }
    } finally {
      this.#seconds.observe((performance.now() - sentAt) / 1000);
      clearTimeout(timer);
      for (const lookUp of batch) this.#forget(lookUp);
      this.#batches--;
      this.#schedule();
    }
  }

  /** Rejects the look-ups whose deadline has passed. */
  #expire(): void {
    const { timeoutMs } = this.#options;
    const now = performance.now();
    this.#expiry = undefined;
    for (const lookUp of this.#open) {
      if (lookUp.deadline > now) {
        this.#expiry = setTimeout(() => this.#expire(), lookUp.deadline - now);
        return;
      }
      this.#forget(lookUp);
      this.#results.add("unavailable");
      const reason = `no answer within ${timeoutMs} ms`;
      lookUp.answer.reject(new StoreUnavailable(`Cannot look a key up: ${reason}`));
    }
  }

  #forget(lookUp: LookUp): void {
    this.#open.delete(lookUp);
    for (const lookUps of [this.#waiting, this.#asked]) {
      if (lookUps.get(lookUp.key) === lookUp) lookUps.delete(lookUp.key);
    }
    if (this.#open.size > 0) return;
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
  }
}
