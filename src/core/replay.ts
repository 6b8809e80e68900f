import type { Envelope } from "./envelope.ts";
import { MessageEvent } from "./event.ts";
import type { Position } from "./position.ts";
import type { Window } from "./window.ts";

/** What a replay reads: a node's history. */
export interface Past {
  readonly window: Window;
  /** Where the node is. */
  readonly position: Position;
  /** How often messages were lost to the node. */
  readonly breaks: number;
}

/** Where the client's position of one source lies in the window. */
export interface Place {
  /** The number of the first envelope of this source that the client does not have. */
  readonly from: number;
  /** The number of the first envelope with which the node was at least there. */
  readonly level: number;
}

export interface ReplayOptions {
  readonly past: Past;
  readonly recipients: readonly string[];
  /** Where the client is. */
  readonly position: Position;
  readonly places: Readonly<Record<Envelope["source"], Place>>;
}

/**
 * What one client missed, read at its pace.
 *
 * Sources come from node to node in different order, so where a client resumes it may be ahead in
 * one of them. What it has of that one is left out until the other is level, and no cursor on the way
 * there takes it back.
 */
export class Replay {
  readonly #past: Past;
  readonly #recipients: readonly string[];
  readonly #brought: Position;
  readonly #places: ReplayOptions["places"];
  #next: number;
  #breaks: number;
  #position: Position;
  #overtaken: Position | undefined;

  constructor({ past, recipients, position, places }: ReplayOptions) {
    this.#past = past;
    this.#recipients = recipients;
    this.#brought = this.#position = position;
    this.#places = places;
    this.#next = Math.min(places.channel.from, places.stream.from);
    this.#breaks = past.breaks;
  }

  /** Where the client is with what was read. */
  get position(): Position {
    return this.#position;
  }

  /** Whether everything there is was read: whoever joins the hub in the same turn misses nothing. */
  get done(): boolean {
    return this.#next === this.#past.window.end && this.#breaks === this.#past.breaks;
  }

  /**
   * Where the last `read` went on from, when messages may have been lost to the client just before:
   * the window has left it behind, or the node itself lost some. Undefined otherwise.
   */
  get overtaken(): Position | undefined {
    return this.#overtaken;
  }

  /** The next events, in order, of about `maxSize` in all, at least one unless none is left. */
  read(maxSize: number): MessageEvent[] {
    const { window } = this.#past;
    this.#catchUp();
    const events: MessageEvent[] = [];
    let size = 0;
    for (const number of window.numbers(this.#recipients, this.#next)) {
      const envelope = window.at(number)!;
      if (number < this.#places[envelope.source].from) continue;
      const delivery = envelope.read();
      if (typeof delivery === "string") continue;
      const event = this.#event(delivery.event, number);
      size += event.size;
      if (size > maxSize && events.length > 0) {
        this.#next = number;
        return events;
      }
      events.push(event);
      this.#position = event.position;
    }
    this.#next = window.end;
    this.#position = this.#past.position;
    return events;
  }

  /** Notices what was lost since the last read. */
  #catchUp(): void {
    const { window, breaks } = this.#past;
    const behind = this.#next < window.first;
    if (behind) this.#position = this.#reached(window.lost!.position, window.first - 1);
    this.#overtaken = behind || this.#breaks !== breaks ? this.#position : undefined;
    this.#breaks = breaks;
  }

  /** The event for this client: the one that all share, but for where it would take the client back. */
  #event(event: MessageEvent, number: number): MessageEvent {
    const position = this.#reached(event.position, number);
    return position === event.position ? event : new MessageEvent(event.body, position);
  }

  /** Where the client is with the envelope `number`, with which the node was at `position`. */
  #reached(position: Position, number: number): Position {
    const { channel, stream } = this.#places;
    if (number >= channel.level && number >= stream.level) return position;
    return number >= channel.level
      ? { ...position, stream: this.#brought.stream }
      : { ...this.#brought, stream: position.stream };
  }
}
