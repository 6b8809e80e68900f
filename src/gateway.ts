import { getLogger } from "@logtape/logtape";
import type { Bus, BusListener, Source } from "./bus/port.ts";
import type { CloseReason } from "./core/close_codes.ts";
import { Connection, type ConnectionHost, type Sink } from "./core/connection.ts";
import type { Envelope } from "./core/envelope.ts";
import {
  type Format,
  gapEvent,
  heartbeatEvent,
  pongEvent,
  reconnectEvent,
  welcomeEvent,
} from "./core/event.ts";
import { History } from "./core/history.ts";
import { Hub } from "./core/hub.ts";
import { Limits } from "./core/limits.ts";
import { isForNobody, type Malformed } from "./core/message.ts";
import type { Refusal } from "./core/refusals.ts";
import { Turn } from "./core/turn.ts";
import { Entrance } from "./entrance.ts";
import type { LookUps } from "./keystores/mod.ts";
import type { Presence } from "./presence/mod.ts";
import { Resumptions } from "./resumptions.ts";
import { Retries } from "./retries.ts";
import type { Settings } from "./settings.ts";
import type { Admission, Gateway as Port } from "./transports/port.ts";

const log = getLogger(["keywire", "gateway"]);

/** How often stalled peers are looked for, and how long one may take nothing, in milliseconds. */
const CHECK_MS = 5_000;
const PATIENCE_MS = 30_000;
/** How often a quiet stream of server-sent events is told its position, in milliseconds. */
const HEARTBEAT_MS = 15_000;
/** How soon the client of an event stream comes back after its end, in milliseconds. */
const SSE_RETRY_MS = 500;

export interface GatewayOptions {
  readonly settings: Settings;
  readonly lookUps: LookUps;
  readonly presence: Presence;
  readonly bus: Pick<Bus, "beat">;
}

/** What happened, for the metrics. */
export interface Counts {
  received: number;
  forNobody: number;
  delivered: number;
  ignored: number;
  readonly gaps: Map<Source, number>;
  readonly dropped: Map<Malformed, number>;
  readonly refused: Map<number, number>;
  readonly closed: Map<number, number>;
}

/** The middle: envelopes of the bus go to the connections of their recipients. */
export class Gateway implements BusListener, ConnectionHost, Port, Disposable {
  readonly hub = new Hub();
  readonly history: History;
  readonly limits: Limits;
  readonly turn = new Turn(queueMicrotask);
  readonly maxBufferedBytes: number;
  /** The connections that have not ended, and as what they were admitted. */
  readonly connections = new Map<Connection, Admission>();
  readonly counts: Counts = {
    received: 0,
    forNobody: 0,
    delivered: 0,
    ignored: 0,
    gaps: new Map(),
    dropped: new Map(),
    refused: new Map(),
    closed: new Map(),
  };
  /** Whether the node is going away: nobody new is admitted. */
  draining = false;
  /** Whether the window has been read, so that clients can resume here. */
  filledOnce = false;
  /** Whether the channel has been heard. */
  #beatOnce = false;
  readonly #options: GatewayOptions;
  readonly #retries = new Retries();
  readonly #makePong = () => pongEvent(this.history.position);
  readonly #entrance: Entrance;
  readonly #resumptions: Resumptions;
  readonly #checks: ReturnType<typeof setInterval>;
  readonly #heartbeats: ReturnType<typeof setInterval>;
  #droppedLogAt = -Infinity;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.maxBufferedBytes = options.settings.maxBufferedBytes;
    this.limits = new Limits(options.settings);
    const { historySeconds, historyBytes, maxMessageBytes, redisChannel } = options.settings;
    this.history = new History({
      maxAgeMs: historySeconds * 1000,
      maxBytes: historyBytes,
      maxMessageBytes,
      channel: redisChannel !== undefined,
    });
    this.#entrance = new Entrance({
      ...options,
      limits: this.limits,
      node: this,
    });
    this.#resumptions = new Resumptions(this.history, () => options.bus.beat());
    this.#checks = setInterval(() => this.#check(), CHECK_MS);
    this.#heartbeats = setInterval(() => this.#heartbeat(), HEARTBEAT_MS);
  }

  message(text: string): void {
    this.#deliver(this.history.message(text, performance.now()), text);
  }

  entry(id: string, text: string, past: boolean): void {
    const envelope = this.history.entry(id, text, performance.now());
    if (!past) this.#deliver(envelope, text);
  }

  beat(id: string, own: boolean): void {
    this.history.beat(id, performance.now());
    // Who came before a source was heard may have missed some of it.
    if (!this.#beatOnce) this.hub.deliver("*", gapEvent(this.history.position));
    this.#beatOnce = true;
    this.#resumptions.beat(own);
  }

  gap(source: Source, id?: string): void {
    count(this.counts.gaps, source);
    this.history.gap(source, id);
    this.hub.deliver("*", gapEvent(this.history.position));
  }

  filled(id: string): void {
    this.history.filled(id);
    this.filledOnce = true;
    this.hub.deliver("*", gapEvent(this.history.position));
  }

  async admit(request: Request, peer: string): Promise<Admission | Refusal> {
    const admission = await this.#entrance.admit(request, peer);
    if ("status" in admission) count(this.counts.refused, admission.status);
    return admission;
  }

  open(admission: Admission, sink: Sink, format: Format): Connection {
    const { recipients } = admission;
    const connection = new Connection(this, { recipients, format, sink });
    this.connections.set(connection, admission);
    this.#options.presence.arrived(recipients);
    if (admission.after !== undefined && format !== "plain") {
      this.#resumptions.resume(connection, admission.after);
    } else {
      connection.push(welcomeEvent(this.history.position));
      connection.attach();
    }
    return connection;
  }

  pong(connection: Connection): void {
    connection.pushCurrent(this.#makePong);
  }

  ignored(): void {
    this.counts.ignored++;
  }

  /** Tells a client that this node goes away, and when to come back. */
  announceDrain(connection: Connection, retryMs: number): void {
    // A stream is ended when its time has come, and its client begins to wait only then.
    const wait = connection.format === "sse" ? Math.min(retryMs, SSE_RETRY_MS) : retryMs;
    connection.pushCurrent(() => reconnectEvent(this.history.position, wait));
  }

  ended(connection: Connection, reason: CloseReason): void {
    this.connections.delete(connection);
    this.#retries.delete(connection);
    count(this.counts.closed, reason.code);
    this.#options.presence.left(connection.recipients);
  }

  waits(connection: Connection): void {
    this.#retries.add(connection);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#checks);
    clearInterval(this.#heartbeats);
    this.#resumptions[Symbol.dispose]();
    this.#retries[Symbol.dispose]();
  }

  /** Delivers what is for somebody here; what is for nobody is not even looked at whole. */
  #deliver(envelope: Envelope, text: string): void {
    this.counts.received++;
    if (isForNobody(text, this.hub.has)) {
      this.counts.forNobody++;
      return;
    }
    const delivery = envelope.read();
    if (typeof delivery === "string") return this.#drop(delivery);
    this.counts.delivered += this.hub.deliver(delivery.recipients, delivery.event);
  }

  #drop(reason: Malformed): void {
    count(this.counts.dropped, reason);
    const now = performance.now();
    if (now - this.#droppedLogAt < 1_000) return;
    this.#droppedLogAt = now;
    log.warn("Dropped an envelope: {reason} (at most one such line a second; see the metrics)", {
      reason,
    });
  }

  #heartbeat(): void {
    const event = heartbeatEvent(this.history.position);
    for (const connection of this.connections.keys()) {
      if (connection.format === "sse" && connection.attached) connection.push(event);
    }
  }

  #check(): void {
    const now = performance.now();
    for (const connection of this.connections.keys()) connection.check(now, PATIENCE_MS);
  }
}

function count<T>(counts: Map<T, number>, name: T): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
