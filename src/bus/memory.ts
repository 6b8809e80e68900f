import { type PartHealth, PartStatus } from "../core/part_health.ts";
import type { BroughtPosition } from "../core/position.ts";
import { MemoryIdempotency } from "./idempotency.ts";
import {
  type Bus,
  type BusFailures,
  type BusListener,
  type BusStats,
  BusUnavailable,
  type DisconnectOrder,
  IdempotencyConflict,
  type Inquiries,
  type PublishOptions,
} from "./port.ts";

/** What {@link MemoryBus} is made of. */
export interface MemoryBusOptions {
  /** Whether envelopes are entries of a stream, or messages of a channel. */
  readonly stream: boolean;
  /** This process, as in `BusListener.beat`: no other process has or had the same. */
  readonly nodeId: string;
  /** The clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** Called with each notice. */
  readonly onNotice?: (channel: string, payload: string) => void;
}

/** The bus of a single node, in the process itself: what is embedded when there is no Redis. */
export class MemoryBus implements Bus {
  readonly #options: MemoryBusOptions;
  readonly #idempotency: MemoryIdempotency;
  #listener: BusListener | undefined;
  #milliseconds: number;
  #sequence = 0;
  #probes = 0;
  readonly #part: PartStatus;
  #answer: ((question: unknown) => unknown) | undefined;
  /** There is one node. */
  readonly inquiries: Inquiries = {
    answerWith: (answer) => void (this.#answer = answer),
    ask: (question) => {
      const { nodeId } = this.#options;
      const answer = this.#answer?.(question);
      return Promise.resolve(new Map(answer === undefined ? [] : [[nodeId, answer]]));
    },
  };
  /** Nothing fails here. */
  readonly failures: BusFailures = { publishes: new Map(), notices: new Map() };

  /** There is no server. */
  readonly stats: BusStats = {
    connectionFailures: [],
    probeSeconds: undefined,
    streamLagSeconds: undefined,
  };

  constructor(options: MemoryBusOptions) {
    this.#options = options;
    const now = this.#milliseconds = options.now();
    const name = options.stream ? "stream" : "channel";
    this.#part = new PartStatus(name, { reason: "the bus has no listener yet", now });
    this.#idempotency = new MemoryIdempotency(options.now);
  }

  get unhealthyReason(): string | undefined {
    return this.#part.reason;
  }

  get parts(): readonly PartHealth[] {
    return [this.#part];
  }

  listen(listener: BusListener): void {
    const { stream } = this.#options;
    // The stream begins at the start: a cursor of an earlier process lies before it, so it is unknown.
    const id = stream ? this.#lastId : "0-0";
    queueMicrotask(() => {
      this.#listener = listener;
      this.#part.set(undefined, this.#options.now());
      listener.historyLoaded(id);
      this.probe();
    });
  }

  probe(): void {
    const id = this.#nextMarker();
    queueMicrotask(() => this.#listener?.marker(id, true));
  }

  async publish(
    envelope: string,
    { idempotencyKey, traceparent }: PublishOptions = {},
  ): Promise<string | undefined> {
    await this.#listener?.ready();
    const publish = () => this.#publish(envelope, traceparent);
    if (idempotencyKey === undefined) return publish();
    const once = this.#idempotency.once(idempotencyKey, envelope, publish);
    if (once === undefined) throw new IdempotencyConflict("Another envelope has this key");
    return once.id;
  }

  disconnect(order: DisconnectOrder): Promise<void> {
    queueMicrotask(() => this.#listener?.disconnect(order));
    return Promise.resolve();
  }

  cursor(): Promise<BroughtPosition> {
    if (this.#listener === undefined) {
      return Promise.reject(new BusUnavailable("refused", "CLOSED: the bus has no listener"));
    }
    const marker = this.#nextMarker();
    const stream = this.#options.stream ? this.#lastId : "0-0";
    return new Promise((resolve) =>
      queueMicrotask(() => {
        this.#listener?.marker(marker, true);
        resolve({ stream, marker, since: 0 });
      })
    );
  }

  notify(channel: string, payload: string): Promise<void> {
    this.#options.onNotice?.(channel, payload);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener = undefined;
    this.#part.set("the bus is closed", this.#options.now());
    return Promise.resolve();
  }

  #publish(envelope: string, traceparent: string | undefined): string | undefined {
    if (!this.#options.stream) {
      queueMicrotask(() => this.#listener?.message(envelope));
      return undefined;
    }
    const id = this.#nextId();
    queueMicrotask(() => this.#listener?.entry(id, envelope, false, undefined, traceparent));
    return id;
  }

  #nextMarker(): string {
    return `${this.#options.nodeId}-${(++this.#probes).toString(36)}`;
  }

  get #lastId(): string {
    return `${this.#milliseconds}-${this.#sequence}`;
  }

  // Ids rise even when the clock goes back, as those of Redis do.
  #nextId(): string {
    const now = this.#options.now();
    if (now > this.#milliseconds) {
      this.#milliseconds = now;
      this.#sequence = 0;
    } else {
      this.#sequence++;
    }
    return this.#lastId;
  }
}
