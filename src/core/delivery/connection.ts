import { CLOSE, type CloseReason } from "../close_codes.ts";
import type { Format } from "../format.ts";
import type { ServerEvent } from "../server_event.ts";
import type { Hub, Subscriber } from "./hub.ts";
import { type MissedEvents, Outbox, type OutboxOwner, type WritableSink } from "./outbox.ts";
import type { FlushScheduler } from "./flush_scheduler.ts";

/** Where a connection's events go, and how it is ended: a transport's sink. */
export interface Sink extends WritableSink {
  /** Whether it calls `drain` by itself when it has capacity again; else it is asked again. */
  readonly signalsDrain: boolean;
  /** Ends the connection for `reason`. Never throws; the second call does nothing. */
  close(reason: CloseReason): void;
}

/** What the connections of one node share. */
export interface ConnectionHost {
  readonly hub: Hub;
  readonly scheduler: FlushScheduler;
  /** More than this owed from before a turn, in bytes, and a client is too slow. */
  readonly maxBufferedBytes: number;
  /** Called when something waits for capacity of the connection's sink. */
  onBackpressure(connection: Connection): void;
  /** Called when its replay would hold up others: `drain` is to be called in a later turn. */
  onPaused(connection: Connection): void;
  /** Called when the connection begins to hear what comes. */
  onAttached?(connection: Connection): void;
  /** Called once, when the connection hears nothing any more. */
  onEnded(connection: Connection, reason: CloseReason): void;
}

export interface ConnectionOptions {
  /** Names it on this node; 0 where no other is to be told from it. */
  readonly id?: number;
  readonly recipients: readonly string[];
  readonly format: Format;
  readonly sink: Sink;
}

/** One client: which recipients it hears for, what it is owed, and how it ends. There are many: it holds little. */
export class Connection implements Subscriber, OutboxOwner {
  readonly host: ConnectionHost;
  /** Names it on this node. */
  readonly id: number;
  readonly recipients: readonly string[];
  readonly format: Format;
  readonly sink: Sink;
  lastDelivery = 0;
  readonly #outbox: Outbox;
  #attached = false;
  #ended = false;
  #later: Set<() => ServerEvent> | undefined;

  constructor(host: ConnectionHost, { id = 0, recipients, format, sink }: ConnectionOptions) {
    this.id = id;
    this.host = host;
    this.recipients = recipients;
    this.format = format;
    this.sink = sink;
    this.#outbox = new Outbox(this);
  }

  /** What waits for capacity, in about bytes. */
  get backlog(): number {
    return this.#outbox.backlog;
  }

  /** What was handed over to its sink, in UTF-16 units. */
  get sent(): number {
    return this.#outbox.sent;
  }

  /** Whether it hears what comes, and has not ended. */
  get attached(): boolean {
    return this.#attached && !this.#ended;
  }

  /** Whether it hears nothing any more. */
  get ended(): boolean {
    return this.#ended;
  }

  push(event: ServerEvent): void {
    this.#outbox.push(event);
  }

  /**
   * Owes the event that `make` makes when all that the client missed was read to it; once, however
   * often it is asked for until then.
   */
  pushCurrent(make: () => ServerEvent): void {
    if (this.#attached) this.push(make());
    else if (!this.#ended) (this.#later ??= new Set()).add(make);
  }

  /** From now on it is owed the messages of its recipients. */
  attach(): void {
    if (this.#attached || this.#ended) return;
    this.#attached = true;
    this.host.hub.join(this);
    this.host.onAttached?.(this);
    for (const make of this.#later ?? []) this.push(make());
    this.#later = undefined;
  }

  /** Reads `from` to it first, and attaches it in the turn in which it has caught up. */
  replay(from: MissedEvents): void {
    this.#outbox.replay(from, () => this.attach());
  }

  /** Hands over what waits; called when the sink may have capacity again. */
  drain(): void {
    this.#outbox.drain();
  }

  /** Closes it when its peer has taken nothing for `patienceMs`; `now` is monotonic. */
  check(now: number, patienceMs: number): void {
    this.#outbox.check(now, patienceMs);
  }

  onTooSlow(): void {
    this.close(CLOSE.tooSlow);
  }

  onBackpressure(): void {
    this.host.onBackpressure(this);
  }

  onPaused(): void {
    this.host.onPaused(this);
  }

  /** Forgets it at once and ends it for `reason`; the second call does nothing. */
  close(reason: CloseReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#outbox.close();
    this.#later = undefined;
    this.host.hub.leave(this);
    this.host.onEnded(this, reason);
    this.sink.close(reason);
  }
}
