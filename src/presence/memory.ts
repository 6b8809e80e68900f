import { type PartHealth, PartStatus } from "../core/part_health.ts";
import { Tally } from "../core/tally.ts";
import type {
  NodeInfo,
  NodeRegistry,
  NoticeKind,
  Presence,
  PresenceStats,
  RecipientPresence,
} from "./port.ts";

export interface MemoryPresenceOptions {
  /** Publishes one notice; rejects when it could not, and is then asked again later. */
  readonly notify: (kind: NoticeKind, recipient: string) => Promise<void>;
  /** How long a recipient may be away before `disconnected` is published, in milliseconds. */
  readonly graceMs?: number;
  /** How long to wait after a notice that could not be published, in milliseconds. */
  readonly retryMs?: number;
  /** The clock, in milliseconds since 1970. */
  readonly now?: () => number;
  /** This node, the only one. */
  readonly self?: () => NodeInfo;
}

/** How many notices are under way at once. */
const BATCH = 500;

/**
 * The presence of this node's own connections. It compares what is true with what was announced and
 * publishes the difference, so a fault of the bus delays notices and never makes one up.
 */
export class MemoryPresence implements Presence, NodeRegistry {
  readonly #options: Required<Omit<MemoryPresenceOptions, "self">>;
  readonly #self: (() => NodeInfo) | undefined;
  readonly #present = new Map<string, { sockets: number; readonly since: number }>();
  #size = 0;
  #refusals = 0;
  readonly #notices = new Tally<NoticeKind>(["connected", "disconnected"]);
  readonly #part: PartStatus;
  readonly #announced = new Set<string>();
  readonly #pending = new Set<string>();
  readonly #graces = new Map<string, ReturnType<typeof setTimeout>>();
  #publishing: Promise<void> | undefined;
  #wake: (() => void) | undefined;
  #disposed = false;

  constructor(
    { notify, graceMs = 0, retryMs = 1000, now = Date.now, self }: MemoryPresenceOptions,
  ) {
    this.#options = { notify, graceMs, retryMs, now };
    this.#self = self;
    this.#part = new PartStatus("notices", { now: now() });
  }

  add(recipients: readonly string[]): void {
    this.#size++;
    for (const recipient of recipients) {
      const present = this.#present.get(recipient);
      if (present !== undefined) {
        present.sockets++;
        continue;
      }
      this.#present.set(recipient, { sockets: 1, since: this.#options.now() });
      clearTimeout(this.#graces.get(recipient));
      this.#graces.delete(recipient);
      this.#changed(recipient);
    }
  }

  remove(recipients: readonly string[]): void {
    const { graceMs } = this.#options;
    this.#size--;
    for (const recipient of recipients) {
      const present = this.#present.get(recipient);
      if (present === undefined || --present.sockets > 0) continue;
      this.#present.delete(recipient);
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

  lookUp(recipients: readonly string[]): Promise<ReadonlyMap<string, RecipientPresence>> {
    const found = new Map<string, RecipientPresence>();
    for (const recipient of recipients) {
      const present = this.#present.get(recipient);
      if (present !== undefined) found.set(recipient, { ...present });
    }
    return Promise.resolve(found);
  }

  get part(): PartHealth {
    return this.#part;
  }

  get stats(): PresenceStats {
    return { notices: this.#notices.counts, reapedNodes: 0, connectionFailures: [] };
  }

  get refusals(): number {
    return this.#refusals;
  }

  get unhealthyReason(): undefined {
    return undefined; // What is in this process is known.
  }

  size(): Promise<number> {
    return Promise.resolve(this.#size);
  }

  /** There is one node. */
  hasLeft(): boolean {
    return false;
  }

  nodes(): Promise<readonly NodeInfo[]> {
    return Promise.resolve(this.#self === undefined ? [] : [this.#self()]);
  }

  async settled(): Promise<void> {
    while (this.#publishing !== undefined) await this.#publishing;
  }

  /** Publishes what is still owed, the graces cut short; a notice that fails now is given up. */
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
    this.#pending.add(recipient);
    this.#publishing ??= this.#publish();
  }

  async #publish(): Promise<void> {
    await Promise.resolve(); // Whatever else changes in this turn goes into the same batch.
    while (this.#pending.size > 0) {
      const batch = [...this.#pending].slice(0, BATCH);
      const announced = await Promise.all(batch.map((recipient) => this.#announce(recipient)));
      if (announced.every(Boolean)) continue;
      if (this.#disposed) break;
      await this.#pause();
    }
    this.#publishing = undefined;
  }

  /** Publishes what is true of `recipient` where that was not announced yet. */
  async #announce(recipient: string): Promise<boolean> {
    this.#pending.delete(recipient);
    const there = this.#isThere(recipient);
    if (there === this.#announced.has(recipient)) return true;
    const kind = there ? "connected" : "disconnected";
    try {
      await this.#options.notify(kind, recipient);
    } catch (error) {
      this.#refusals++;
      const { reason = "the bus does not take them" } = error as { reason?: string };
      this.#part.set(reason, this.#options.now());
      this.#pending.add(recipient);
      return false;
    }
    this.#part.set(undefined, this.#options.now());
    this.#notices.add(kind);
    if (there) this.#announced.add(recipient);
    else this.#announced.delete(recipient);
    if (there !== this.#isThere(recipient)) this.#pending.add(recipient);
    return true;
  }

  /** Whether `recipient` counts as present: within its grace it still does. */
  #isThere(recipient: string): boolean {
    return this.#present.has(recipient) || this.#graces.has(recipient);
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
