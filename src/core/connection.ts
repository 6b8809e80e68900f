import type { CloseReason } from "./close_codes.ts";
import { CLOSE } from "./close_codes.ts";
import type { Event, Format } from "./event.ts";
import type { Hub, Subscriber } from "./hub.ts";
import { Outbox, type Outlet, type Replay } from "./outbox.ts";
import type { Turn } from "./turn.ts";

/** Where a connection's events go, and how it is ended: a transport's sink. */
export interface Sink extends Outlet {
  /** Whether it has its connection drained by itself when there is room; else it is asked again. */
  readonly drainsItself: boolean;
  /** Ends the connection for `reason`. Never throws; the second call does nothing. */
  close(reason: CloseReason): void;
}

export interface ConnectionOptions {
  readonly recipients: readonly string[];
  readonly format: Format;
  readonly sink: Sink;
  readonly hub: Hub;
  readonly turn: Turn;
  readonly maxBufferedBytes: number;
  /** Called when something waits for room in the sink. */
  readonly waiting: (connection: Connection) => void;
  /** Called once, when the connection hears nothing any more. */
  readonly ended: (connection: Connection, reason: CloseReason) => void;
}

/** One client: for whom it hears, what it is owed, and how it ends. */
export class Connection implements Subscriber {
  readonly recipients: readonly string[];
  readonly format: Format;
  lastDelivery = 0;
  readonly #options: ConnectionOptions;
  readonly #outbox: Outbox;
  #attached = false;
  #ended = false;
  #later: (() => Event)[] = [];

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.recipients = options.recipients;
    this.format = options.format;
    this.#outbox = new Outbox({
      format: options.format,
      outlet: options.sink,
      turn: options.turn,
      maxBufferedBytes: options.maxBufferedBytes,
      tooSlow: () => this.close(CLOSE.tooSlow),
      waiting: () => options.waiting(this),
    });
  }

  /** What waits for room, in about bytes. */
  get backlog(): number {
    return this.#outbox.backlog;
  }

  /** Whether it hears what comes, and has not ended. */
  get attached(): boolean {
    return this.#attached && !this.#ended;
  }

  /** Whether it hears nothing any more. */
  get ended(): boolean {
    return this.#ended;
  }

  push(event: Event): void {
    this.#outbox.push(event);
  }

  /** Owes the event that `make` makes when all that the client missed was read to it. */
  pushCurrent(make: () => Event): void {
    if (this.#attached) this.push(make());
    else if (!this.#ended) this.#later.push(make);
  }

  /** Lets it hear what comes, from here on. */
  attach(): void {
    if (this.#attached || this.#ended) return;
    this.#attached = true;
    this.#options.hub.join(this);
    for (const make of this.#later) this.push(make());
    this.#later = [];
  }

  /** Reads `from` to it first, and attaches it in the turn in which it has caught up. */
  replay(from: Replay): void {
    this.#outbox.replay(from, () => this.attach());
  }

  /** Hands over what waits; called when the sink may have room again. */
  drain(): void {
    this.#outbox.drain();
  }

  /** Closes it when its peer has taken nothing for `patienceMs`; `now` is monotonic. */
  check(now: number, patienceMs: number): void {
    this.#outbox.check(now, patienceMs);
  }

  /** Forgets it at once and ends it for `reason`; the second call does nothing. */
  close(reason: CloseReason): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#outbox.close();
    this.#later = [];
    this.#options.hub.leave(this);
    this.#options.ended(this, reason);
    this.#options.sink.close(reason);
  }
}
