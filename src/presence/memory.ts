import type { Presence } from "./port.ts";

export interface MemoryPresenceOptions {
  /** Publishes one notice; rejects when it could not, and is then asked again later. */
  readonly notify: (kind: "connected" | "disconnected", recipient: string) => Promise<void>;
  /** How long a recipient may be away before `disconnected` is said, in milliseconds. */
  readonly graceMs?: number;
  /** How long to wait after a notice that could not be published, in milliseconds. */
  readonly retryMs?: number;
}

/** How many notices are under way at once. */
const BATCH = 500;

/**
 * The presence of this node's own connections. It compares what is true with what was said and
 * publishes the difference, so a fault of the bus delays notices and never makes one up.
 */
export class MemoryPresence implements Presence {
  readonly #options: Required<MemoryPresenceOptions>;
  readonly #counts = new Map<string, number>();
  readonly #said = new Set<string>();
  readonly #unsure = new Set<string>();
  readonly #graces = new Map<string, ReturnType<typeof setTimeout>>();
  #publishing: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #disposed = false;

  constructor({ notify, graceMs = 0, retryMs = 1000 }: MemoryPresenceOptions) {
    this.#options = { notify, graceMs, retryMs };
  }

  /** The connections of `recipient`. */
  count(recipient: string): number {
    return this.#counts.get(recipient) ?? 0;
  }

  arrived(recipients: readonly string[]): void {
    for (const recipient of recipients) {
      const count = this.count(recipient) + 1;
      this.#counts.set(recipient, count);
      if (count > 1) continue;
      clearTimeout(this.#graces.get(recipient));
      this.#graces.delete(recipient);
      this.#changed(recipient);
    }
  }

  left(recipients: readonly string[]): void {
    const { graceMs } = this.#options;
    for (const recipient of recipients) {
      const count = this.count(recipient) - 1;
      if (count > 0) {
        this.#counts.set(recipient, count);
        continue;
      }
      this.#counts.delete(recipient);
      if (graceMs === 0 || this.#disposed) {
        this.#changed(recipient);
        continue;
      }
      this.#graces.set(
        recipient,
        setTimeout(() => {
          this.#graces.delete(recipient);
          this.#changed(recipient);
        }, graceMs),
      );
    }
  }

  async settled(): Promise<void> {
    while (this.#publishing !== undefined) await this.#publishing;
  }

  /** Says what is still owed, the graces cut short; what cannot be said now is given up. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    for (const [recipient, timer] of this.#graces) {
      clearTimeout(timer);
      this.#changed(recipient);
    }
    this.#graces.clear();
    this.#wake?.();
    await this.settled();
  }

  #changed(recipient: string): void {
    this.#unsure.add(recipient);
    this.#publishing ??= this.#publish();
  }

  async #publish(): Promise<void> {
    await Promise.resolve(); // Whatever else changes in this turn goes into the same batch.
    while (this.#unsure.size > 0) {
      const batch = [...this.#unsure].slice(0, BATCH);
      const told = await Promise.all(batch.map((recipient) => this.#tell(recipient)));
      if (told.every(Boolean)) continue;
      if (this.#disposed) break;
      await this.#pause();
    }
    this.#publishing = undefined;
  }

  /** Says what is true of `recipient` where that was not said yet. */
  async #tell(recipient: string): Promise<boolean> {
    this.#unsure.delete(recipient);
    const there = this.#isThere(recipient);
    if (there === this.#said.has(recipient)) return true;
    try {
      await this.#options.notify(there ? "connected" : "disconnected", recipient);
    } catch {
      this.#unsure.add(recipient);
      return false;
    }
    if (there) this.#said.add(recipient);
    else this.#said.delete(recipient);
    if (there !== this.#isThere(recipient)) this.#unsure.add(recipient);
    return true;
  }

  /** Whether `recipient` is to be taken for present: who is away within the grace still is. */
  #isThere(recipient: string): boolean {
    return this.#counts.has(recipient) || this.#graces.has(recipient);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.retryMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
