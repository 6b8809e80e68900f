import { CLOSE, type CloseReason } from "../core/close_codes.ts";
import { Connection, type ConnectionHost, type Sink } from "../core/delivery/connection.ts";
import type { FlushScheduler } from "../core/delivery/flush_scheduler.ts";
import type { Hub } from "../core/delivery/hub.ts";
import { type Format, FORMATS } from "../core/format.ts";
import type { History } from "../core/history/history.ts";
import {
  heartbeatEvent,
  pongEvent,
  reconnectEvent,
  type ServerEvent,
  welcomeEvent,
} from "../core/server_event.ts";
import { isPeerGone } from "../http/peer_gone.ts";
import { type Refusal, REFUSED } from "../http/refusals.ts";
import type { Presence } from "../presence/mod.ts";
import type { Connector } from "../transports/port.ts";
import type { Admission, AdmittedClient } from "./admission.ts";
import type { AttachmentLog } from "./attachment_log.ts";
import type { Disconnects } from "./disconnects.ts";
import type { Intake } from "./intake.ts";
import { OpeningClients } from "./opening_clients.ts";
import type { Resumptions } from "./resumptions.ts";
import { Tally } from "../core/tally.ts";
import type { TurnQueue } from "./turn_queue.ts";
import { UpgradeQueue } from "./upgrade_queue.ts";
import { WriteRetries } from "./write_retries.ts";

/** How often stalled peers are looked for, and how long one may take nothing, in milliseconds. */
const CHECK_MS = 5_000;
const PATIENCE_MS = 30_000;
/** How often a quiet stream of server-sent events is told its position, in milliseconds. */
const HEARTBEAT_MS = 15_000;
/** How soon the client of an event stream comes back after a drain at the earliest, in milliseconds. */
const DRAINED_RETRY_MS = 500;

export interface ConnectionManagerOptions {
  readonly hub: Hub;
  readonly history: History;
  readonly admission: Admission;
  readonly disconnects: Disconnects;
  readonly resumptions: Resumptions;
  readonly presence: Presence;
  /** Remembers which connections came and went. */
  readonly attachments?: Pick<AttachmentLog, "add">;
  readonly intake: Intake;
  readonly scheduler: FlushScheduler;
  /** Where replays go on that would hold up others. */
  readonly turns: TurnQueue;
  /** More than this owed from before a turn, in bytes, and a client is too slow. */
  readonly maxBufferedBytes: number;
}

/** What happened to clients, for the metrics. */
export interface ConnectionCounts {
  /** Texts of clients that mean nothing. */
  readonly ignored: number;
  /** Refused connects, by the name of the refusal in `REFUSED`. */
  readonly refused: ReadonlyMap<string, number>;
  /** Opened connections, by the name of their format. */
  readonly opened: ReadonlyMap<string, number>;
  /** What connections that have ended were sent, in UTF-16 units. */
  readonly sentBefore: number;
  /** Ended connections, by close code. */
  readonly closed: ReadonlyMap<number, number>;
  /** Admitted clients whose upgrade never opened: each cost a descriptor. */
  readonly upgradesLost: number;
}

/** Between 2,000 and 4,000: event streams that break together do not come back together. */
export function welcomeRetryMs(): number {
  return 2_000 + Math.round(Math.random() * 2_000);
}

/** A connection's way: admitted, opened by its transport, resumed, ended, its slot given back. */
export class ConnectionManager implements ConnectionHost, Connector, Disposable {
  readonly hub: Hub;
  readonly scheduler: FlushScheduler;
  readonly maxBufferedBytes: number;
  readonly #options: ConnectionManagerOptions;
  readonly #connections = new Map<Connection, AdmittedClient>();
  readonly #opening = new OpeningClients();
  readonly #retries = new WriteRetries();
  readonly #upgrades = new UpgradeQueue();
  readonly #makePong = () => pongEvent(this.#options.history.position);
  readonly #checks: ReturnType<typeof setInterval>;
  readonly #heartbeats: ReturnType<typeof setInterval>;
  #opens = 0;
  #ignored = 0;
  #sentBefore = 0;
  readonly #refused = new Tally<string>(Object.values(REFUSED).map(({ reason }) => reason));
  readonly #opened = new Tally<string>(FORMATS.map(({ name }) => name));
  readonly #closed = new Tally<number>(Object.values(CLOSE).map(({ code }) => code));

  constructor(options: ConnectionManagerOptions) {
    this.#options = options;
    this.hub = options.hub;
    this.scheduler = options.scheduler;
    this.maxBufferedBytes = options.maxBufferedBytes;
    this.#checks = setInterval(() => this.#check(), CHECK_MS);
    this.#heartbeats = setInterval(() => this.#heartbeat(), HEARTBEAT_MS);
  }

  /** The connections that have not ended, and the clients that they were admitted for. */
  get connections(): ReadonlyMap<Connection, AdmittedClient> {
    return this.#connections;
  }

  /** What waits for slow clients, in about bytes. */
  get backlogBytes(): number {
    return this.#connections.keys().reduce((sum, { backlog }) => sum + backlog, 0);
  }

  /** What happened so far. */
  get counts(): ConnectionCounts {
    return {
      ignored: this.#ignored,
      refused: this.#refused.counts,
      opened: this.#opened.counts,
      sentBefore: this.#sentBefore,
      closed: this.#closed.counts,
      upgradesLost: this.#opening.lost,
    };
  }

  checkOrigin(request: Request): Refusal | undefined {
    const refusal = this.#options.admission.checkOrigin(request);
    return refusal && this.refuse(refusal);
  }

  async admit(request: Request, peer: string): Promise<AdmittedClient | Refusal> {
    const client = await this.#options.admission.admit(request, peer);
    if ("status" in client) return this.refuse(client);
    await this.#upgrades.turn();
    if (await isPeerGone(request)) {
      this.onPeerGone(client);
      return this.refuse(REFUSED.gone);
    }
    this.#opening.add(client, performance.now());
    return client;
  }

  refuse(refusal: Refusal): Refusal {
    if (refusal.reason !== undefined) this.#refused.add(refusal.reason);
    return refusal;
  }

  open(client: AdmittedClient, sink: Sink, format: Format): Connection {
    const { disconnects, history, presence, resumptions } = this.#options;
    const { recipients, pending } = client;
    disconnects.end(pending);
    const id = ++this.#opens;
    const connection = new Connection(this, { id, recipients, format, sink });
    this.#note("opened", connection, format.name);
    client.connection = connection;
    this.#opening.delete(client);
    this.#connections.set(connection, client);
    this.#opened.add(format.name);
    presence.add(recipients);
    if (pending.isDisconnected(client)) {
      connection.close(CLOSE.revoked);
    } else if (client.after !== undefined && format.resumes) {
      resumptions.resume(connection, client.after);
    } else {
      connection.push(welcomeEvent(history.position, { retryMs: welcomeRetryMs() }));
      connection.attach();
    }
    if (client.slot.isReleased) connection.close(CLOSE.goingAway); // It came after its deadline.
    return connection;
  }

  onPeerGone(client: AdmittedClient): void {
    this.#opening.delete(client);
    this.#options.disconnects.end(client.pending);
    client.connection?.close(CLOSE.goingAway);
    client.slot.release();
  }

  onPing(connection: Connection): void {
    connection.pushCurrent(this.#makePong);
  }

  onIgnoredText(): void {
    this.#ignored++;
  }

  /** Tells a client that this node goes away, and when to come back. */
  sendReconnect(connection: Connection, retryMs: number): void {
    // A stream is ended when its time has come, and its client begins to wait only then: long enough
    // for another node, or this one's successor, to be there.
    const wait = connection.format.name === "sse"
      ? DRAINED_RETRY_MS + Math.round(Math.random() * 1_500)
      : retryMs;
    connection.pushCurrent(() => reconnectEvent(this.#options.history.position, wait));
  }

  onAttached(connection: Connection): void {
    this.#note("attached", connection);
  }

  onEnded(connection: Connection, reason: CloseReason): void {
    this.#note("ended", connection, String(reason.code));
    this.#connections.delete(connection);
    this.#retries.delete(connection);
    this.#closed.add(reason.code);
    this.#sentBefore += connection.sent;
    this.#options.presence.remove(connection.recipients);
  }

  onBackpressure(connection: Connection): void {
    this.#options.intake.add(connection);
    if (!connection.sink.signalsDrain) this.#retries.add(connection);
  }

  onPaused(connection: Connection): void {
    this.#options.turns.later(() => connection.drain());
  }

  [Symbol.dispose](): void {
    clearInterval(this.#checks);
    clearInterval(this.#heartbeats);
    this.#retries[Symbol.dispose]();
  }

  #note(kind: "opened" | "attached" | "ended", { id, recipients }: Connection, detail = ""): void {
    this.#options.attachments?.add({ kind, connection: id, recipients, detail });
  }

  #heartbeat(): void {
    const event: ServerEvent = heartbeatEvent(this.#options.history.position);
    for (const connection of this.#connections.keys()) {
      if (connection.attached && event.text(connection.format) !== "") connection.push(event);
    }
  }

  #check(): void {
    const now = performance.now();
    for (const connection of this.#connections.keys()) connection.check(now, PATIENCE_MS);
    for (const client of this.#opening.takeOverdue(now)) this.onPeerGone(client);
  }
}
