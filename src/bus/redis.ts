import { controlChannel } from "../core/control_channel.ts";
import type { PartHealth } from "../core/part_health.ts";
import type { BroughtPosition } from "../core/position.ts";
import {
  type Bus,
  type BusFailures,
  type BusListener,
  type BusStats,
  BusUnavailable,
  type DisconnectOrder,
  type PublishOptions,
} from "./port.ts";
import type { RedisBusOptions } from "./redis_bus_options.ts";
import { RedisChannel } from "./redis_channel.ts";
import { RedisControl } from "./redis_control.ts";
import { RedisCursor } from "./redis_cursor.ts";
import { RedisFailures } from "./redis_failures.ts";
import { partsAtStart, RedisHealth } from "./redis_health.ts";
import { RedisPublisher } from "./redis_publisher.ts";
import { askOnce } from "./redis_ask.ts";
import { RedisInquiries } from "./redis_inquiries.ts";
import type { Ask } from "./redis_repeat.ts";
import {
  connectRedis,
  connectSubscriber,
  parseRedisUrl,
  type RedisAddress,
  whereIs,
} from "../redis/connect_redis.ts";
import { ConnectionFailures } from "../redis/connection_failures.ts";
import { RedisConnection } from "../redis/redis_connection.ts";
import { SentinelWatch } from "../redis/sentinel_watch.ts";
import { RedisStream } from "./redis_stream.ts";
import { RedisWriteCheck } from "./redis_write_check.ts";

export type { RedisBusOptions };

const NOT_LISTENING = "CLOSED: the bus has no listener yet";
/** Why connections are built anew. */
const REPLACED = "CLOSED: the master was replaced";

/**
 * The bus of several nodes: Pub/Sub and a stream of Redis. It holds three connections at most, since
 * one that subscribes or blocks can do nothing else, and each proves itself or is built anew.
 */
export class RedisBus implements Bus {
  readonly #options: Required<RedisBusOptions>;
  readonly #address: RedisAddress;
  readonly #sentinels: SentinelWatch;
  readonly #commands: RedisConnection;
  readonly #publisher: RedisPublisher;
  readonly #health: RedisHealth;
  readonly #failures: RedisFailures;
  readonly #lost = new ConnectionFailures("commands", "subscriber", "reader");
  readonly #writeCheck: RedisWriteCheck;
  readonly #ask: Ask = (command, ...args) => askOnce(this.#commands, [command, ...args]);
  readonly inquiries: RedisInquiries;
  #control: RedisControl | undefined;
  #cursor: RedisCursor | undefined;
  #channel: RedisChannel | undefined;
  #stream: RedisStream | undefined;
  #isListening = false;

  /** @throws {TypeError} when the URL cannot be read; the message shows nothing of it. */
  constructor(options: RedisBusOptions) {
    this.#options = {
      channel: undefined,
      stream: undefined,
      sentinel: {},
      random: Math.random,
      ...options,
    };
    const { url, sentinel, prefix, channel, stream, random } = this.#options;
    this.#address = parseRedisUrl(url, sentinel);
    const where = `Redis at ${whereIs(this.#address)}`;
    this.#failures = new RedisFailures(where);
    this.#health = new RedisHealth({
      where,
      parts: partsAtStart({ hasStream: stream !== undefined }),
    });
    this.#sentinels = new SentinelWatch(this.#address, () => {
      this.#commands.reset(REPLACED);
      this.#resetReaders();
    });
    this.#writeCheck = new RedisWriteCheck({
      ask: this.#ask,
      stream: stream ?? `${prefix}:{control}:probe`,
      hasRole: this.#address.kind !== "cluster",
      onHealthy: () => this.#health.reportUp("writes"),
      onError: (reason) => this.#health.reportDown("writes", reason),
      onUnusable: (reason) => this.#commands.reset(reason),
      onMasterFound: () => this.#resetReaders(),
    });
    this.#commands = new RedisConnection({
      open: () => connectRedis(this.#sentinels.address, "commands"),
      up: () => {
        this.#channel?.onCommandsUp();
        this.#writeCheck.check();
      },
      down: (reason) => {
        this.#lost.add("commands", reason);
        this.#writeCheck.onConnectionDown(reason);
      },
      random,
    });
    const control = controlChannel(prefix);
    this.inquiries = new RedisInquiries({ ask: this.#ask, control, nodeId: options.nodeId });
    this.#publisher = new RedisPublisher({ ask: this.#ask, prefix, channel, stream });
  }

  get unhealthyReason(): string | undefined {
    return this.#isListening ? this.#health.unhealthyReason : "the bus has no listener yet";
  }

  get parts(): readonly PartHealth[] {
    return this.#health.parts;
  }

  get failures(): BusFailures {
    return this.#failures;
  }

  get stats(): BusStats {
    return {
      connectionFailures: this.#lost.counts,
      probeSeconds: this.#channel?.probeSeconds,
      streamLagSeconds: this.#stream?.lagSeconds,
    };
  }

  listen(listener: BusListener): void {
    const { channel, stream, prefix, nodeId, windowMs, random } = this.#options;
    const address = this.#address;
    const health = this.#health;
    this.#isListening = true;
    this.#sentinels.start();
    this.#commands.start();
    const control = controlChannel(prefix);
    const hasOneOrder = address.kind !== "cluster";
    let orders = 0;
    this.#control = new RedisControl({
      ask: this.#ask,
      prefix,
      control,
      newId: () => `${nodeId}-${(++orders).toString(36)}`,
      listener,
    });
    this.#cursor = new RedisCursor({
      ask: this.#ask,
      stream,
      markers: channel === undefined || !hasOneOrder ? undefined : {
        sent: () => this.#channel?.probesSent ?? 0,
        probe: () => this.probe(),
      },
    });
    this.#channel = new RedisChannel({
      open: () => connectSubscriber(this.#sentinels.address, this.#commands.client, random),
      channel,
      control,
      nodeId,
      hasOneOrder,
      publish: (name, text) => this.#ask("publish", name, text),
      listener,
      onOwnProbe: (id) => this.#cursor?.onOwnMarker(id),
      onControl: (text) => this.inquiries.hear(text) || this.#control?.hear(text),
      onSubscribed: () => this.#control?.readMissed(),
      onDown: (reason) => this.#lost.add("subscriber", reason),
      onHealthy: () => health.reportUp("channel"),
      onError: (reason) => health.reportDown("channel", reason),
      onProbeTimeout: (reason) => this.#commands.reset(reason),
      random,
    });
    this.#channel.start();
    if (stream === undefined) return queueMicrotask(() => listener.historyLoaded("0-0"));
    this.#stream = new RedisStream({
      open: () => connectRedis(this.#sentinels.address, "reader"),
      ask: this.#ask,
      stream,
      windowMs,
      listener,
      onDown: (reason) => this.#lost.add("reader", reason),
      onHealthy: () => health.reportUp("stream"),
      onError: (reason) => health.reportDown("stream", reason),
      random,
    });
    this.#stream.start();
  }

  publish(envelope: string, options: PublishOptions = {}): Promise<string | undefined> {
    return this.#failures.count("publish", () => this.#publisher.publish(envelope, options));
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
    try {
      await this.#failures.count("notice", () => this.#ask("publish", channel, payload));
      this.#health.reportUp("notices");
    } catch (error) {
      const { outcome, reason } = error as BusUnavailable;
      // That Redis is not there is the trouble of other parts.
      const isRefused = outcome === "refused" && !reason.startsWith("CLOSED");
      if (isRefused) this.#health.reportDown("notices", reason);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const parts = [this.#health, this.#writeCheck, this.#sentinels, this.#control, this.#cursor];
    for (const part of parts) part?.[Symbol.dispose]();
    await Promise.all([
      this.#channel?.[Symbol.asyncDispose](),
      this.#stream?.[Symbol.asyncDispose](),
      this.#commands[Symbol.asyncDispose](),
    ]);
  }

  #resetReaders(): void {
    this.#channel?.reset(REPLACED);
    this.#stream?.reset(REPLACED);
  }
}
