import type { RedisClient } from "./connect_redis.ts";
import { redisFault } from "./redis_fault.ts";

/** What a {@link RedisConnection} needs. */
export interface RedisConnectionOptions<Client extends RedisClient> {
  /** Opens a connection, as `connectRedis` does. */
  readonly open: () => Client;
  /** Called with each connection that takes commands. */
  readonly up: (client: Client) => void;
  /** Called when that connection, or an attempt at one, is over, with a reason that has no secrets. */
  readonly down: (reason: string) => void;
  /** From 0 to below 1: the jitter of the waits between attempts. */
  readonly random: () => number;
}

/** For all that a client times itself and more: Sentinels are asked one after the other. */
const CONNECT_DEADLINE_MS = 15_000;
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5_000;

/**
 * Keeps one connection to Redis: opens it, and when it is over the next, after a wait that doubles
 * up to 5 s and is jittered, so that nodes do not come back in step.
 */
export class RedisConnection<Client extends RedisClient = RedisClient> implements AsyncDisposable {
  readonly #options: RedisConnectionOptions<Client>;
  /** Connections that are not closed yet, given up ones among them. */
  readonly #open = new Set<Promise<void>>();
  #client: Client | undefined;
  #isUp = false;
  #isClosed = false;
  #attempts = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RedisConnectionOptions<Client>) {
    this.#options = options;
  }

  /** The connection, while it takes commands. */
  get client(): Client | undefined {
    return this.#isUp ? this.#client : undefined;
  }

  /** Opens the first connection. */
  start(): void {
    const client = this.#client = this.#options.open();
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    this.#open.add(ended);
    let reason = "CLOSED: the connection was closed";
    client.on("error", (error) => reason = redisFault(error).reason);
    client.on("ready", () => {
      if (client !== this.#client) return;
      clearTimeout(this.#timer);
      this.#isUp = true;
      this.#options.up(client);
    });
    client.on("end", () => {
      this.#open.delete(ended);
      resolve();
      if (client === this.#client) this.reset(reason);
    });
    this.#timer = setTimeout(() => this.reset("no answer to the handshake"), CONNECT_DEADLINE_MS);
  }

  /** Gives the connection up, whatever state it is in, and opens another after a wait. */
  reset(reason: string): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#client = undefined;
    this.#isUp = false;
    clearTimeout(this.#timer);
    client.disconnect();
    this.#options.down(reason);
    if (this.#isClosed) return;
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#attempts++);
    const wait = longest * (1 + this.#options.random()) / 2;
    this.#timer = setTimeout(() => this.start(), wait);
  }

  /** Says that the connection does what it is for: the waits begin small again. */
  resetBackoff(): void {
    this.#attempts = 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.reset("closed");
    await Promise.all(this.#open);
  }
}
