import type { Bus, BusListener } from "./port.ts";

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
  #listener: BusListener | undefined;
  #milliseconds: number;
  #sequence = 0;
  #probes = 0;

  constructor(options: MemoryBusOptions) {
    this.#options = options;
    this.#milliseconds = options.now();
  }

  get unhealthyReason(): string | undefined {
    return this.#listener ? undefined : "the bus has no listener yet";
  }

  listen(listener: BusListener): void {
    const { stream } = this.#options;
    // The stream begins at the start: a cursor of an earlier process lies before it, so it is unknown.
    const id = stream ? this.#lastId : "0-0";
    queueMicrotask(() => {
      this.#listener = listener;
      listener.historyLoaded(id);
      this.probe();
    });
  }

  probe(): void {
    const id = `${this.#options.nodeId}-${(++this.#probes).toString(36)}`;
    queueMicrotask(() => this.#listener?.marker(id, true));
  }

  publish(envelope: string): Promise<string | undefined> {
    if (!this.#options.stream) {
      queueMicrotask(() => this.#listener?.message(envelope));
      return Promise.resolve(undefined);
    }
    const id = this.#nextId();
    queueMicrotask(() => this.#listener?.entry(id, envelope, false));
    return Promise.resolve(id);
  }

  notify(channel: string, payload: string): Promise<void> {
    this.#options.onNotice?.(channel, payload);
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener = undefined;
    return Promise.resolve();
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
