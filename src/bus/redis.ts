import { getLogger } from "@logtape/logtape";
import type { BroughtPosition } from "../core/position.ts";
import type { SentinelCredentials } from "../core/redis_url.ts";
import {
  type Bus,
  type BusListener,
  BusUnavailable,
  type DisconnectOrder,
  type PublishOptions,
} from "./port.ts";
import { RedisChannel } from "./redis_channel.ts";
import { RedisControl } from "./redis_control.ts";
import { RedisCursor } from "./redis_cursor.ts";
import { RedisPublisher } from "./redis_publisher.ts";
import type { Ask } from "./redis_repeat.ts";
import {
  connectRedis,
  connectSubscriber,
  parseRedisUrl,
  type RedisAddress,
  whereIs,
} from "../redis/connect_redis.ts";
import { RedisConnection } from "../redis/redis_connection.ts";
import { redisFault } from "../redis/redis_fault.ts";
import { RedisStream } from "./redis_stream.ts";

/** What {@link RedisBus} is made of. */
export interface RedisBusOptions {
  /** As `parseRedisUrl` takes it. */
  readonly url: string;
  /** What the Sentinels themselves want. */
  readonly sentinel?: SentinelCredentials;
  /** The channel where backends publish; undefined: Pub/Sub is off. */
  readonly channel?: string | undefined;
  /** The stream where backends append; undefined: it is off. */
  readonly stream?: string | undefined;
  /** Begins every other name in Redis. */
  readonly prefix: string;
  /** How far back the stream's window is filled at the start. */
  readonly windowMs: number;
  /** This node: no other has or had the same. At most 20 characters of `[A-Za-z0-9_]`. */
  readonly nodeId: string;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/** Two lines of the log about the same are at least so far apart. */
const LOG_EVERY_MS = 10_000;

const NOT_LISTENING = "CLOSED: the bus has no listener yet";

const log = getLogger(["keywire", "bus"]);

/**
 * The bus of several nodes: Pub/Sub and a stream of Redis. It holds three connections at most, since
 * one that subscribes or blocks can do nothing else, and each proves itself or is built anew.
 */
export class RedisBus implements Bus {
  readonly #options: Required<RedisBusOptions>;
  readonly #address: RedisAddress;
  readonly #commands: RedisConnection;
  readonly #publisher: RedisPublisher;
  readonly #send: Ask = (command, ...args) => this.#ask(command, ...args);
  #control: RedisControl | undefined;
  #cursor: RedisCursor | undefined;
  #channel: RedisChannel | undefined;
  #stream: RedisStream | undefined;
  #isListening = false;
  #isClosed = false;
  /** What the last line of the log says of Redis. */
  #reported: "up" | "down" | undefined;
  #loggedAt = -Infinity;

  /** @throws {TypeError} when the URL cannot be read; the message shows nothing of it. */
  constructor(options: RedisBusOptions) {
    this.#options = {
      channel: undefined,
      stream: undefined,
      sentinel: {},
      random: Math.random,
      ...options,
    };
    this.#address = parseRedisUrl(options.url, options.sentinel);
    this.#commands = new RedisConnection({
      open: () => connectRedis(this.#address, "commands"),
      up: () => this.#channel?.onCommandsUp(),
      down: (reason) => this.#reportDown(reason),
      random: this.#options.random,
    });
    const { prefix, channel, stream } = this.#options;
    this.#publisher = new RedisPublisher({ ask: this.#send, prefix, channel, stream });
  }

  get unhealthyReason(): string | undefined {
    if (!this.#isListening) return "the bus has no listener yet";
    return this.#channel?.unhealthyReason ?? this.#stream?.unhealthyReason;
  }

  listen(listener: BusListener): void {
    const { channel, stream, prefix, nodeId, windowMs, random } = this.#options;
    const address = this.#address;
    const onHealthy = () => this.#reportUp();
    const onError = (reason: string) => this.#reportDown(reason);
    this.#isListening = true;
    this.#commands.start();
    const control = `{${prefix}}:control`;
    const hasOneOrder = address.kind !== "cluster";
    let orders = 0;
    this.#control = new RedisControl({
      ask: this.#send,
      prefix,
      control,
      newId: () => `${nodeId}-${(++orders).toString(36)}`,
      listener,
    });
    this.#cursor = new RedisCursor({
      ask: this.#send,
      stream,
      markers: channel === undefined || !hasOneOrder ? undefined : {
        sent: () => this.#channel?.probesSent ?? 0,
        probe: () => this.probe(),
      },
    });
    this.#channel = new RedisChannel({
      open: () => connectSubscriber(address, this.#commands.client, random),
      channel,
      control,
      nodeId,
      hasOneOrder,
      publish: (name, text) => this.#ask("publish", name, text),
      listener,
      onOwnProbe: (id) => this.#cursor?.onOwnMarker(id),
      onControl: (text) => this.#control?.hear(text),
      onSubscribed: () => this.#control?.readMissed(),
      onHealthy,
      onError,
      onProbeTimeout: (reason) => this.#commands.reset(reason),
      random,
    });
    this.#channel.start();
    if (stream === undefined) return queueMicrotask(() => listener.historyLoaded("0-0"));
    this.#stream = new RedisStream({
      open: () => connectRedis(address, "reader"),
      ask: this.#send,
      stream,
      windowMs,
      listener,
      onHealthy,
      onError,
      random,
    });
    this.#stream.start();
  }

  publish(envelope: string, options: PublishOptions = {}): Promise<string | undefined> {
    return this.#publisher.publish(envelope, options);
  }

  async disconnect(order: DisconnectOrder): Promise<void> {
    if (this.#control === undefined) throw new BusUnavailable("refused", NOT_LISTENING);
    await this.#control.disconnect(order);
  }

  async cursor(): Promise<BroughtPosition> {
    if (this.#cursor === undefined) throw new BusUnavailable("refused", NOT_LISTENING);
    return await this.#cursor.now();
  }

  probe(): void {
    this.#channel?.probe();
  }

  async notify(channel: string, payload: string): Promise<void> {
    await this.#ask("publish", channel, payload);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#control?.[Symbol.dispose]();
    this.#cursor?.[Symbol.dispose]();
    await Promise.all([
      this.#channel?.[Symbol.asyncDispose](),
      this.#stream?.[Symbol.asyncDispose](),
      this.#commands[Symbol.asyncDispose](),
    ]);
  }

  /**
   * Sends one command, once.
   * @throws {BusUnavailable} without the driver's error in it, which holds what was sent
   */
  async #ask(command: string, ...args: (string | number)[]): Promise<unknown> {
    const client = this.#commands.client;
    if (client === undefined) {
      throw new BusUnavailable("refused", "CLOSED: there is no connection to Redis");
    }
    try {
      const reply = await client.call(command, ...args);
      this.#commands.resetBackoff();
      return reply;
    } catch (error) {
      const { code, reason, outcome } = redisFault(error);
      if (code === "TIMEOUT" && client === this.#commands.client) this.#commands.reset(reason);
      throw new BusUnavailable(outcome, reason);
    }
  }

  get #where(): string {
    return `Redis at ${whereIs(this.#address)}`;
  }

  #reportDown(reason: string): void {
    if (this.#reported === "down" || this.#isClosed) return;
    if (performance.now() - this.#loggedAt < LOG_EVERY_MS) return;
    this.#reported = "down";
    this.#loggedAt = performance.now();
    log.warning("{where} is not heard, and is waited for: {reason}", {
      where: this.#where,
      reason,
    });
  }

  #reportUp(): void {
    if (this.#reported === "up" || this.unhealthyReason !== undefined) return;
    this.#reported = "up";
    log.info("Connected to {where}", { where: this.#where });
  }
}
