import { setTimeout as delay } from "node:timers/promises";

/** A connection that is owed more than its peer has taken. */
export interface Debtor {
  /** What waits for capacity, in about bytes. */
  readonly backlog: number;
  /** What was handed over to its sink, in UTF-16 units. */
  readonly sent: number;
  /** Whether it is closed. */
  readonly ended: boolean;
}

export interface IntakeOptions {
  /** Intake waits while a connection that reads is owed more than this, in bytes. */
  readonly maxOwedBytes: number;
  /** Whether connections wait for a later turn, as this one had no time for all of them. */
  readonly isFlushing?: () => boolean;
  /** A clock that never goes back, in milliseconds. */
  readonly now?: () => number;
}

/** Intake waits so long at most, in milliseconds. */
const MAX_WAIT_MS = 50;
/** A connection reads if it took something so lately, in milliseconds. */
const READING_MS = 250;

/**
 * Holds intake back while connections that read are owed much: a burst is not slowness, and a client
 * that reads as fast as it can must not be taken for a slow one because much comes at once. One that
 * takes nothing holds nothing back.
 */
export class Intake {
  readonly #maxOwedBytes: number;
  readonly #isFlushing: () => boolean;
  readonly #now: () => number;
  /** Connections with a backlog: what they had been sent when they last took something, and when. */
  readonly #debtors = new Map<Debtor, { sent: number; at: number }>();

  constructor(
    { maxOwedBytes, isFlushing = () => false, now = () => performance.now() }: IntakeOptions,
  ) {
    this.#maxOwedBytes = maxOwedBytes;
    this.#isFlushing = isFlushing;
    this.#now = now;
  }

  /** Notes that `connection` has a backlog. */
  add(connection: Debtor): void {
    if (this.#debtors.has(connection)) return;
    this.#debtors.set(connection, { sent: connection.sent, at: this.#now() });
  }

  /** Undefined while more may come at once; else resolves when it may, after one turn at least. */
  ready(): Promise<void> | undefined {
    return this.#debtors.size === 0 && !this.#isFlushing() ? undefined : this.#wait();
  }

  async #wait(): Promise<void> {
    const until = this.#now() + MAX_WAIT_MS;
    do {
      await delay(0);
    } while ((this.#isFlushing() || this.#isOwedMuch()) && this.#now() < until);
  }

  #isOwedMuch(): boolean {
    const now = this.#now();
    let isOwedMuch = false;
    for (const [connection, progress] of this.#debtors) {
      if (connection.ended || connection.backlog === 0) {
        this.#debtors.delete(connection);
        continue;
      }
      if (connection.sent !== progress.sent) {
        progress.sent = connection.sent;
        progress.at = now;
      }
      const isReading = now - progress.at < READING_MS;
      isOwedMuch ||= isReading && connection.backlog > this.#maxOwedBytes;
    }
    return isOwedMuch;
  }
}
