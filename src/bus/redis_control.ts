import { setTimeout as delay } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { readMembers } from "../core/read_members.ts";
import { type BusListener, BusUnavailable, type DisconnectOrder } from "./port.ts";
import { type Ask, repeatUntilAnswered } from "./redis_repeat.ts";

/** What {@link RedisControl} needs. */
export interface RedisControlOptions {
  /** Sends one command, once; rejects with `BusUnavailable`. */
  readonly ask: Ask;
  /** Begins the name of the list of orders. */
  readonly prefix: string;
  /** The channel where the nodes speak with each other. */
  readonly control: string;
  /** Makes a name that no other order has. */
  readonly newId: () => string;
  readonly listener: Pick<BusListener, "disconnect">;
}

/** How long a node that is cut off can still read an order, in milliseconds. */
const KEPT_MS = 60_000;
/** How long to wait before the orders are asked for again, in milliseconds. */
const RETRY_MS = 1_000;
/** How much older than this process an order may seem, as the two clocks need not run alike. */
const SLACK_MS = 1_000;

const log = getLogger(["keywire", "bus"]);

/**
 * KEYS: the orders. ARGV: the order, the control channel, how long it is kept in milliseconds. The
 * order is kept first: a node that does not hear it then reads it.
 */
const GIVE = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('PUBLISH', ARGV[2], ARGV[1])`;

/** KEYS: the orders. Answers the time in milliseconds, then orders and when they were given. */
const READ = `local time = redis.call('TIME')
local orders = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
table.insert(orders, 1, string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return orders`;

/**
 * Orders from node to node: given on the control channel, and kept in a sorted set for nodes that do
 * not hear it at that moment, which read it after each subscription.
 */
export class RedisControl implements Disposable {
  readonly #options: RedisControlOptions;
  readonly #startedAt = performance.now();
  /** The orders that were carried out, and when they came. */
  readonly #known = new Map<string, number>();
  #hasRead = false;
  #reading: AbortController | undefined;

  constructor(options: RedisControlOptions) {
    this.#options = options;
  }

  /** As `Bus.disconnect`. */
  async disconnect({ recipients, keyHashes }: DisconnectOrder): Promise<void> {
    const { ask, control, newId } = this.#options;
    const order = JSON.stringify({ type: "disconnect", id: newId(), recipients, keyHashes });
    await repeatUntilAnswered(ask, ["eval", GIVE, 1, this.#key, order, control, KEPT_MS]);
  }

  /** Takes a text of the control channel that is no marker. What cannot be understood is ignored. */
  hear(text: string): void {
    const order = readOrder(text);
    if (order === undefined || this.#known.has(order.id)) return;
    this.#forgetOld();
    this.#known.set(order.id, performance.now());
    this.#options.listener.disconnect(order);
  }

  /**
   * Reads the orders that were given while the channel was not heard. To be called once it is; it
   * tries again until it is answered.
   */
  async readMissed(): Promise<void> {
    this.#reading?.abort();
    const { signal } = this.#reading = new AbortController();
    for (let attempts = 0; !signal.aborted; attempts++) {
      try {
        const reply = await this.#options.ask("eval", READ, 1, this.#key) as string[];
        if (!signal.aborted) this.#hearMissed(reply);
        return;
      } catch (error) {
        if (!(error instanceof BusUnavailable)) throw error;
        const { reason } = error;
        if (attempts === 1) log.warning("Cannot read orders to disconnect: {reason}", { reason });
      }
      await delay(RETRY_MS, undefined, { signal }).catch(() => {}); // aborted
    }
  }

  [Symbol.dispose](): void {
    this.#reading?.abort();
  }

  #hearMissed(reply: readonly string[]): void {
    // Connections of this process were looked up after its start, so earlier orders do not mean them.
    const ageOfProcess = performance.now() - this.#startedAt + SLACK_MS;
    const oldest = this.#hasRead ? -Infinity : Number(reply[0]) - ageOfProcess;
    this.#hasRead = true;
    for (let at = 1; at < reply.length; at += 2) {
      if (Number(reply[at + 1]) >= oldest) this.hear(reply[at]!);
    }
  }

  get #key(): string {
    return `${this.#options.prefix}:{control}:kicks`;
  }

  #forgetOld(): void {
    const oldest = performance.now() - 2 * KEPT_MS;
    for (const [id, at] of this.#known) {
      if (at > oldest) return;
      this.#known.delete(id);
    }
  }
}

function readOrder(text: string): (DisconnectOrder & { readonly id: string }) | undefined {
  const { type, id, recipients, keyHashes } = readMembers(text);
  if (type !== "disconnect" || typeof id !== "string") return undefined;
  if (!isTexts(recipients) || !isTexts(keyHashes)) return undefined;
  return { id, recipients, keyHashes };
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
