import type { BusListener } from "./port.ts";
import type { RedisSubscriber } from "./redis_connect.ts";
import { RedisLink } from "./redis_link.ts";
import { interceptMessages } from "./resp_messages.ts";

/** What {@link RedisChannel} needs. */
export interface RedisChannelOptions {
  /** Opens a connection to subscribe on. */
  readonly open: () => RedisSubscriber;
  /** Where backends publish. */
  readonly channel: string;
  /** Where the nodes publish their beats. */
  readonly control: string;
  /** This node: no other has or had the same, and it is of `[A-Za-z0-9_]`. */
  readonly nodeId: string;
  /** Whether all subscribers hear one order, so that the beats of other nodes name places here. */
  readonly hasOneOrder: boolean;
  /** Publishes on another connection than the one that is subscribed. */
  readonly publish: (channel: string, text: string) => Promise<unknown>;
  readonly listener: BusListener;
  /** Called when a beat has come back: all is well. */
  readonly proven: () => void;
  /** Called when the subscription is lost, not to be had or not proven, with a reason. */
  readonly failed: (reason: string) => void;
  /** Called when a beat did not come back: either connection may be the one at fault. */
  readonly overdue: (reason: string) => void;
  /** From 0 to below 1, for the waits between attempts. */
  readonly random: () => number;
}

const BEAT_EVERY_MS = 3_000;
const BEAT_DEADLINE_MS = 3_000;
/** A timer that comes this late says that this process stood still, not that Redis did. */
const LATE_MS = 500;
const BEAT = /^[A-Za-z0-9_-]{1,32}$/;

/**
 * The subscription, and the proof of it: this node publishes a beat every 3 s and must hear it. A
 * connection may answer PING and have lost its subscription; a beat that comes back has passed where
 * messages pass.
 */
export class RedisChannel implements AsyncDisposable {
  readonly #options: RedisChannelOptions;
  readonly #link: RedisLink<RedisSubscriber>;
  #client: RedisSubscriber | undefined;
  #isSubscribed = false;
  /** Whether messages may have been lost since the last one that was handed over. */
  #isBroken = false;
  #trouble: string | undefined = "the channel is not subscribed yet";
  #beats = 0;
  /** The beat that must come back next. */
  #awaited: string | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: RedisChannelOptions) {
    this.#options = options;
    this.#link = new RedisLink({
      open: options.open,
      up: (client) => this.#subscribe(client),
      down: (reason) => this.#lose(reason),
      random: options.random,
    });
  }

  /** Undefined while the last beat came back in time. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Subscribes, and goes on doing so. */
  start(): void {
    this.#link.start();
  }

  /** Proves the subscription now rather than at the next beat: there is a connection to publish on. */
  prove(): void {
    if (this.#isSubscribed) this.#beat();
  }

  /** Sends a beat unless one is under way: asking often must not put off the time it is due. */
  beat(): void {
    if (this.#isSubscribed && this.#awaited === undefined) this.#beat();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#link[Symbol.asyncDispose]();
  }

  #subscribe(client: RedisSubscriber): void {
    const { channel, control } = this.#options;
    this.#client = client;
    interceptMessages(client.stream, [channel, control], (channel, text) => {
      if (client === this.#client) this.#hear(channel, text);
    });
    // One SUBSCRIBE for both: whoever hears the one has the other too.
    client.call("subscribe", channel, control).then(() => {
      if (client !== this.#client) return;
      this.#isSubscribed = true;
      this.#beat();
    }, (error: Error) => {
      if (client === this.#client) this.#link.reset(error.message);
    });
  }

  // Every message of the channel passes here, also those for nobody on this node: no more than this.
  #hear(channel: string, text: string): void {
    if (this.#isBroken) {
      this.#isBroken = false;
      this.#options.listener.gap("channel");
    }
    if (channel === this.#options.control) this.#hearBeat(text);
    else this.#options.listener.message(text);
  }

  #hearBeat(id: string): void {
    if (!BEAT.test(id)) return;
    const { nodeId, hasOneOrder, listener, proven } = this.#options;
    const own = id.startsWith(`${nodeId}-`);
    if (own || hasOneOrder) listener.beat(id, own);
    if (id !== this.#awaited) return;
    this.#awaited = undefined;
    this.#trouble = undefined;
    this.#link.settle();
    this.#setTimer(() => this.#beat(), BEAT_EVERY_MS);
    proven();
  }

  #beat(): void {
    const { nodeId, control, publish } = this.#options;
    this.#awaited = `${nodeId}-${(++this.#beats).toString(36)}`;
    this.#expectBeat();
    // A beat that was not published does not come back, which is noticed all the same.
    publish(control, this.#awaited).catch(() => {});
  }

  #expectBeat(): void {
    const due = performance.now() + BEAT_DEADLINE_MS;
    this.#setTimer(() => {
      if (performance.now() > due + LATE_MS) return this.#expectBeat();
      const reason =
        `the subscription is silent: a beat did not come back in ${BEAT_DEADLINE_MS} ms`;
      this.#link.reset(reason);
      this.#options.overdue(reason);
    }, BEAT_DEADLINE_MS);
  }

  #lose(reason: string): void {
    clearTimeout(this.#timer);
    this.#client = undefined;
    this.#awaited = undefined;
    // Before the first subscription nothing was promised, so nothing was broken.
    if (this.#isSubscribed) this.#isBroken = true;
    this.#isSubscribed = false;
    this.#trouble = reason;
    this.#options.failed(reason);
  }

  #setTimer(callback: () => void, ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(callback, ms);
  }
}
