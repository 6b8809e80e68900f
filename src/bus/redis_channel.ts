import type { Malformed } from "../core/malformed.ts";
import { type BusListener, BusUnavailable } from "./port.ts";
import { isFinal } from "./redis_repeat.ts";
import type { RedisSubscriber } from "../redis/connect_redis.ts";
import { RedisConnection } from "../redis/redis_connection.ts";
import { redisFault } from "../redis/redis_fault.ts";
import { interceptMessages } from "./resp_messages.ts";

/** What {@link RedisChannel} needs. */
export interface RedisChannelOptions {
  /** Opens a connection to subscribe on. */
  readonly open: () => RedisSubscriber;
  /** Where backends publish; undefined: nowhere, and the listener hears of no channel. */
  readonly channel: string | undefined;
  /** Where the nodes publish their probes, and speak with each other. */
  readonly control: string;
  /** This node: no other has or had the same, and it is of `[A-Za-z0-9_]`. */
  readonly nodeId: string;
  /** Whether all subscribers hear one order, so that the probes of other nodes are markers here. */
  readonly hasOneOrder: boolean;
  /** Publishes on another connection than the one that is subscribed. */
  readonly publish: (channel: string, text: string) => Promise<unknown>;
  readonly listener: BusListener;
  /** Called with each probe of this node's that was heard. */
  readonly onOwnProbe: (id: string) => void;
  /** Called with each text of the control channel that is no probe. */
  readonly onControl: (text: string) => void;
  /** Called when the channels are subscribed: what is published from now on is heard. */
  readonly onSubscribed: () => void;
  /** Called when a probe has come back: all is well. */
  readonly onHealthy: () => void;
  /** Called when a connection is over, with the reason. */
  readonly onDown: (reason: string) => void;
  /** Called when the subscription is lost, not to be had or not onHealthy, with a reason. */
  readonly onError: (reason: string) => void;
  /** Called when a probe did not come back: either connection may be the one at fault. */
  readonly onProbeTimeout: (reason: string) => void;
  /** From 0 to below 1, for the waits between attempts. */
  readonly random: () => number;
}

const PROBE_EVERY_MS = 3_000;
/** Two probes that are asked for are at least so far apart. */
const PROBE_SPACING_MS = 50;
const PROBE_DEADLINE_MS = 3_000;
/** However much comes, a probe must come back in so long. */
const PROBE_BURST_MS = 15_000;
/** A timer that comes this late says that this process stood still, not that Redis did. */
const LATE_MS = 500;
const PROBE_ID = /^[A-Za-z0-9_-]{1,32}$/;

/**
 * The subscription, and the proof of it: this node publishes a probe every 3 s and must hear it. A
 * connection may answer PING and have lost its subscription; a probe that comes back has passed where
 * messages pass.
 */
export class RedisChannel implements AsyncDisposable {
  readonly #options: RedisChannelOptions;
  readonly #connection: RedisConnection<RedisSubscriber>;
  #client: RedisSubscriber | undefined;
  #isSubscribed = false;
  /** Whether messages may have been lost since the last one that was handed over. */
  #isBroken = false;
  #probes = 0;
  #probedAt = -Infinity;
  #probeSeconds: number | undefined;
  /** When the subscriber last got bytes, or went on reading: a probe waits behind what is unread. */
  #readAt = -Infinity;
  /** The probe that must come back next. */
  #awaited: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RedisChannelOptions) {
    this.#options = options;
    this.#connection = new RedisConnection({
      open: options.open,
      up: (client) => this.#subscribe(client),
      down: (reason) => {
        options.onDown(reason);
        this.#lose(reason);
      },
      random: options.random,
    });
  }

  /** Builds the connection anew: it leads to another server than it should. */
  reset(reason: string): void {
    this.#connection.reset(reason);
  }

  /** How long the last probe took to come back, in seconds; undefined before one has. */
  get probeSeconds(): number | undefined {
    return this.#probeSeconds;
  }

  /** The number of the last probe that was sent, which its id ends with in base 36. */
  get probesSent(): number {
    return this.#probes;
  }

  /** Subscribes, and goes on doing so. */
  start(): void {
    this.#connection.start();
  }

  /** Probes the subscription now rather than later: there is a connection to publish on. */
  onCommandsUp(): void {
    if (this.#isSubscribed) this.#sendProbe();
  }

  /** Sends a probe soon, unless one is under way: asking often must not put off the time it is due. */
  probe(): void {
    if (!this.#isSubscribed || this.#awaited !== undefined) return;
    const wait = this.#probedAt + PROBE_SPACING_MS - performance.now();
    if (wait <= 0) this.#sendProbe();
    else this.#setTimer(() => this.#sendProbe(), wait);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
  }

  #subscribe(client: RedisSubscriber): void {
    const { channel, control, listener } = this.#options;
    this.#client = client;
    const channels = channel === undefined ? [control] : [channel, control];
    interceptMessages(client.stream, channels, {
      message: (channel, text, malformed) => {
        if (client === this.#client) this.#hear(channel, text, malformed);
      },
      ready: () => {
        this.#readAt = performance.now();
        const pause = listener.ready();
        pause?.then(() => this.#readAt = performance.now());
        return pause;
      },
    });
    // One SUBSCRIBE for both: a connection that hears the one has the other too.
    client.call("subscribe", ...channels).then(() => {
      if (client !== this.#client) return;
      this.#isSubscribed = true;
      this.#sendProbe();
      this.#options.onSubscribed();
    }, (error: unknown) => {
      if (client === this.#client) this.#connection.reset(redisFault(error).reason);
    });
  }

  // Every message of the channel passes here, most of them for other nodes: it must do little.
  #hear(channel: string, text: string, malformed: Malformed | undefined): void {
    const { control, listener, onControl } = this.#options;
    if (this.#isBroken) {
      this.#isBroken = false;
      if (this.#options.channel !== undefined) listener.gap("channel");
    }
    if (channel !== control) listener.message(text, malformed);
    else if (PROBE_ID.test(text)) this.#onProbe(text);
    else onControl(text);
  }

  #onProbe(id: string): void {
    const { channel, nodeId, hasOneOrder, listener, onHealthy } = this.#options;
    const own = id.startsWith(`${nodeId}-`);
    if (channel !== undefined && (own || hasOneOrder)) listener.marker(id, own);
    if (own) this.#options.onOwnProbe(id);
    if (id !== this.#awaited) return;
    this.#awaited = undefined;
    this.#probeSeconds = (performance.now() - this.#probedAt) / 1000;
    this.#connection.resetBackoff();
    this.#setTimer(() => this.#sendProbe(), PROBE_EVERY_MS);
    onHealthy();
  }

  #sendProbe(): void {
    const { nodeId, control, publish } = this.#options;
    const id = this.#awaited = `${nodeId}-${(++this.#probes).toString(36)}`;
    this.#probedAt = performance.now();
    this.#expectProbe();
    publish(control, id).catch((error: unknown) => {
      // One that was lost on its way does not come back, which is noticed all the same.
      const isRefused = error instanceof BusUnavailable && isFinal(error);
      if (isRefused && id === this.#awaited) this.#connection.reset(error.reason);
    });
  }

  #expectProbe(sentAt = performance.now(), waitMs = PROBE_DEADLINE_MS): void {
    const due = performance.now() + waitMs;
    this.#setTimer(() => {
      const now = performance.now();
      if (now > due + LATE_MS) return this.#expectProbe();
      // A probe waits behind the bytes of a burst: it is overdue when none came.
      const unreadMs = Math.max(sentAt, this.#readAt) + PROBE_DEADLINE_MS - now;
      if (unreadMs > 0 && now - sentAt < PROBE_BURST_MS) {
        return this.#expectProbe(sentAt, unreadMs);
      }
      const reason =
        `the subscription is silent: a probe did not come back in ${PROBE_DEADLINE_MS} ms`;
      this.#connection.reset(reason);
      this.#options.onProbeTimeout(reason);
    }, waitMs);
  }

  #lose(reason: string): void {
    clearTimeout(this.#timer);
    this.#client = undefined;
    this.#awaited = undefined;
    // Before the first subscription nothing was promised, so nothing was broken.
    if (this.#isSubscribed) this.#isBroken = true;
    this.#isSubscribed = false;
    this.#options.onError(reason);
  }

  #setTimer(callback: () => void, ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(callback, ms);
  }
}
