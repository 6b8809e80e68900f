import { getLogger } from "@logtape/logtape";
import type { BusListener } from "./bus/port.ts";
import { clientAddress } from "./core/address.ts";
import type { CloseReason } from "./core/close_codes.ts";
import { Connection, type Sink } from "./core/connection.ts";
import { ControlEvent, type Format, MessageEvent } from "./core/event.ts";
import { Hub } from "./core/hub.ts";
import { readAfter, readKey } from "./core/key.ts";
import { Limits } from "./core/limits.ts";
import { isForNobody, type Malformed, parseMessage } from "./core/message.ts";
import { formatCursor, type Position } from "./core/position.ts";
import { type Refusal, REFUSED } from "./core/refusals.ts";
import { Turn } from "./core/turn.ts";
import { type LookUps, StoreUnavailable } from "./keystores/mod.ts";
import type { Presence } from "./presence/mod.ts";
import type { Settings } from "./settings.ts";
import type { Admission, Gateway as Port } from "./transports/port.ts";

const log = getLogger(["keywire", "gateway"]);

/** How often stalled peers are looked for, and how long one may take nothing, in milliseconds. */
const CHECK_MS = 5_000;
const PATIENCE_MS = 30_000;
/** How soon, and how late at most, a connection without room is tried again, in milliseconds. */
const RETRY_MS = { first: 1, last: 50 };

export interface GatewayOptions {
  readonly settings: Settings;
  readonly lookUps: LookUps;
  readonly presence: Presence;
}

/** What happened, for the metrics. */
export interface Counts {
  received: number;
  forNobody: number;
  delivered: number;
  ignored: number;
  readonly dropped: Map<Malformed, number>;
  readonly refused: Map<number, number>;
  readonly closed: Map<number, number>;
}

/** The middle: envelopes of the bus go to the connections of their recipients. */
export class Gateway implements BusListener, Port, Disposable {
  readonly hub = new Hub();
  readonly limits: Limits;
  readonly connections = new Set<Connection>();
  readonly counts: Counts = {
    received: 0,
    forNobody: 0,
    delivered: 0,
    ignored: 0,
    dropped: new Map(),
    refused: new Map(),
    closed: new Map(),
  };
  /** Whether the node is going away: nobody new is admitted. */
  draining = false;
  readonly #options: GatewayOptions;
  readonly #turn = new Turn(queueMicrotask);
  readonly #waiting = new Set<Connection>();
  #retryMs = RETRY_MS.first;
  #retry: ReturnType<typeof setTimeout> | undefined;
  readonly #checks: ReturnType<typeof setInterval>;
  #droppedLogAt = -Infinity;

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.limits = new Limits(options.settings);
    this.#checks = setInterval(() => this.#check(), CHECK_MS);
  }

  message(text: string): void {
    this.counts.received++;
    if (isForNobody(text, this.hub.has)) {
      this.counts.forNobody++;
      return;
    }
    const message = parseMessage(text, this.#options.settings.maxMessageBytes);
    if (typeof message === "string") return this.#drop(message);
    const event = new MessageEvent(message.body, this.#position());
    this.counts.delivered += this.hub.deliver(message.recipients, event);
  }

  beat(): void {}
  entry(_id: string, text: string, past: boolean): void {
    if (!past) this.message(text);
  }
  gap(): void {}
  filled(): void {}

  async admit(request: Request, peer: string): Promise<Admission | Refusal> {
    const admission = await this.#admit(request, peer);
    if ("status" in admission) count(this.counts.refused, admission.status);
    return admission;
  }

  open(admission: Admission, sink: Sink, format: Format): Connection {
    const { maxBufferedBytes } = this.#options.settings;
    const connection = new Connection({
      recipients: admission.recipients,
      format,
      sink,
      hub: this.hub,
      turn: this.#turn,
      maxBufferedBytes,
      waiting: (connection) => sink.drainsItself || this.#wait(connection),
      ended: (connection, reason) => this.#ended(connection, reason),
    });
    this.connections.add(connection);
    this.#options.presence.arrived(admission.recipients);
    connection.attach();
    return connection;
  }

  pong(connection: Connection): void {
    connection.pushCurrent(() =>
      new ControlEvent({
        plain: "heartbeat message",
        v1: `{"type":"pong","cursor":"${formatCursor(this.#position())}"}`,
      })
    );
  }

  ignored(): void {
    this.counts.ignored++;
  }

  /** Tells a client that this node goes away, and when to come back. */
  announceDrain(connection: Connection, retryMs: number): void {
    connection.pushCurrent(() =>
      new ControlEvent({
        v1: `{"type":"reconnect","cursor":"${
          formatCursor(this.#position())
        }","retryMs":${retryMs}}`,
        sse: `retry: ${retryMs}\n\n`,
      })
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#checks);
    clearTimeout(this.#retry);
  }

  async #admit(request: Request, peer: string): Promise<Admission | Refusal> {
    const { allowedOrigins, trustedProxies } = this.#options.settings;
    const origin = request.headers.get("Origin");
    if (origin !== null && allowedOrigins !== "*" && !allowedOrigins.includes(origin)) {
      return REFUSED.origin;
    }
    const key = readKey(request);
    if (key === undefined) return REFUSED.key;
    if (this.draining) return REFUSED.draining;
    const address = clientAddress(peer, request.headers.get("X-Forwarded-For"), trustedProxies);
    const place = this.limits.reserve(address);
    if (place === "node") return REFUSED.node;
    if (place === "address") return REFUSED.address;
    const release = () => place.release();
    let refusal: Refusal = REFUSED.store;
    try {
      const recipients = await this.#options.lookUps.recipients(key);
      if (recipients === undefined) refusal = REFUSED.unknownKey;
      else if (!place.takeKey(key)) refusal = REFUSED.keyLimit;
      else if (this.draining) refusal = REFUSED.draining;
      else return { key, recipients, after: readAfter(request.url), release };
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) log.error("A look-up failed: {error}", { error });
    }
    release();
    return refusal;
  }

  #position(): Position {
    return { stream: "0-0", beat: "", since: 0 };
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

  #ended(connection: Connection, reason: CloseReason): void {
    this.connections.delete(connection);
    this.#waiting.delete(connection);
    count(this.counts.closed, reason.code);
    this.#options.presence.left(connection.recipients);
  }

  #wait(connection: Connection): void {
    this.#waiting.add(connection);
    if (this.#retry !== undefined) return;
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS.last);
      for (const connection of waiting) connection.drain();
      if (this.#waiting.size === 0) this.#retryMs = RETRY_MS.first;
    }, this.#retryMs);
  }

  #check(): void {
    const now = performance.now();
    for (const connection of this.connections) connection.check(now, PATIENCE_MS);
  }
}

function count<T>(counts: Map<T, number>, name: T): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
