import { getLogger } from "@logtape/logtape";
import { CLOSE } from "../core/close_codes.ts";
import type { Connection } from "../core/delivery/connection.ts";
import { type KeyStore, StoreUnavailable } from "../keystores/mod.ts";
import { repeat } from "./repeat.ts";

const log = getLogger(["keywire", "revalidation"]);

/** What rounds did so far, for the metrics. */
export interface RevalidationCounts {
  /** Rounds that looked every key up. */
  readonly completed: number;
  /** Rounds that ended early, as the store gave no answer. */
  readonly failed: number;
  /** Connections that were closed as their key is gone. */
  readonly revoked: number;
  /** Connections that were closed as their recipients changed. */
  readonly changed: number;
}

/** How many keys are asked about at once. */
const BATCH = 500;

export interface RevalidationOptions {
  /** The open connections, and the keys that they were admitted with. */
  readonly connections: ReadonlyMap<Connection, { readonly key: string }>;
  readonly store: Pick<KeyStore, "find">;
  /** How long after a round began the next one begins, in milliseconds. */
  readonly everyMs: number;
  /** How long the store may take for a batch, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Authority is live: the keys of open connections are looked up again and again. A
 * connection whose key is gone is closed; one whose recipients changed is closed so that it comes back
 * as what it is now. While the store does not answer, connections stay.
 */
export class Revalidation implements Disposable {
  readonly #options: RevalidationOptions;
  readonly #counts = { completed: 0, failed: 0, revoked: 0, changed: 0 };
  /** Keys whose batch got no answer: they come last, so that what fails there keeps no others waiting. */
  #unanswered: ReadonlySet<string> = new Set();
  #rounds: Disposable | undefined;

  constructor(options: RevalidationOptions) {
    this.#options = options;
  }

  /** What it did so far. */
  get counts(): RevalidationCounts {
    return this.#counts;
  }

  /** Looks the keys up, again and again. */
  start(): void {
    this.#rounds = repeat(() => this.check(), this.#options.everyMs);
  }

  /** Looks every key up once. */
  async check(): Promise<void> {
    // A client that comes while the store is asked has just been looked up.
    const byKey = Map.groupBy(this.#options.connections, ([, { key }]) => key);
    const keys = this.#inOrder(byKey.keys());
    for (let from = 0; from < keys.length; from += BATCH) {
      const batch = keys.slice(from, from + BATCH);
      try {
        const answer = await this.#find(batch);
        this.#unanswered = this.#unanswered.difference(new Set(batch));
        for (const key of batch) {
          this.#enforce(byKey.get(key)!.map(([one]) => one), answer.get(key));
        }
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) {
          log.error("Cannot revalidate: {error}", { error });
        }
        this.#counts.failed++;
        this.#unanswered = this.#unanswered.union(new Set(batch));
        return; // The store does not answer: connections stay.
      }
    }
    this.#counts.completed++;
  }

  [Symbol.dispose](): void {
    this.#rounds?.[Symbol.dispose]();
  }

  #inOrder(keys: Iterable<string>): string[] {
    const connected = new Set(keys);
    this.#unanswered = this.#unanswered.intersection(connected);
    return [...connected.difference(this.#unanswered), ...this.#unanswered];
  }

  /** Closes `connections` unless they hear for just `recipients`. */
  #enforce(connections: readonly Connection[], recipients: readonly string[] | undefined): void {
    for (const connection of connections) {
      if (recipients === undefined) {
        this.#counts.revoked++;
        connection.close(CLOSE.revoked);
      } else if (!equalSets(connection.recipients, recipients)) {
        this.#counts.changed++;
        connection.close(CLOSE.restart);
      }
    }
  }

  async #find(keys: readonly string[]): Promise<Map<string, readonly string[]>> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), this.#options.timeoutMs);
    try {
      return await this.#options.store.find(keys, abort.signal);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Whether both hold the same names, each once; mostly in the same order. */
function equalSets(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  if (one.every((name, at) => name === other[at])) return true;
  const names = new Set(other);
  return one.every((name) => names.has(name));
}
