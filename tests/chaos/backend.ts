import { Redis } from "ioredis";
import type { Published } from "./account.ts";

/** How a backend publishes. */
export interface BackendOptions {
  readonly port: number;
  readonly recipients: readonly string[];
  /** Messages a second, to the recipients in turn. */
  readonly rate: number;
  /** Sends one envelope, with XADD or PUBLISH. */
  readonly send: (redis: Redis, envelope: string) => Promise<unknown>;
}

const TICK_MS = 10;

/**
 * Publishes without a pause, whatever happens to Redis, each recipient's messages with serial
 * numbers. It sends nothing twice: after a lost reply it goes on with the next number.
 */
export class Backend implements Disposable {
  /** What was published, by recipient; a message's serial number is its place. */
  readonly published: ReadonlyMap<string, Published[]>;
  /** The phase that the messages from now on belong to. */
  phase = 0;
  readonly #options: BackendOptions;
  readonly #redis: Redis;
  readonly #sending = new Set<Promise<void>>();
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: BackendOptions) {
    this.#options = options;
    this.published = new Map(options.recipients.map((name) => [name, []]));
    this.#redis = new Redis({
      host: "127.0.0.1",
      port: options.port,
      retryStrategy: () => 50,
      // A command is sent once or fails.
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
    });
    this.#redis.on("error", () => {}); // Redis is killed on purpose.
  }

  /** Publishes until {@link stop}. */
  start(): void {
    const started = performance.now();
    const names = [...this.published.keys()];
    let count = 0;
    this.#timer = setInterval(() => {
      const due = (performance.now() - started) / 1_000 * this.#options.rate;
      for (; count < due; count++) this.#publish(names[count % names.length]!);
    }, TICK_MS);
  }

  /** Publishes no more, and waits until it is known of each message whether it was confirmed. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    while (this.#sending.size > 0) await Promise.all(this.#sending);
  }

  /** The serial number of the last message to `recipient` that was confirmed; -1 before the first. */
  lastConfirmed(recipient: string): number {
    return this.published.get(recipient)!.findLastIndex(({ confirmed }) => confirmed);
  }

  /** How many messages of `phase` were confirmed so far. */
  confirmedIn(phase: number): number {
    const all = [...this.published.values()].flat();
    return all.filter((message) => message.confirmed && message.phase === phase).length;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#redis.disconnect();
  }

  #publish(recipient: string): void {
    const messages = this.published.get(recipient)!;
    const message: Published = { phase: this.phase, confirmed: false };
    const envelope = JSON.stringify({ recipients: [recipient], n: messages.push(message) - 1 });
    const sending = this.#options.send(this.#redis, envelope).then(
      () => void (message.confirmed = true),
      () => {}, // It stays unconfirmed.
    ).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }
}
