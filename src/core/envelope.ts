import { MessageEvent } from "./event.ts";
import { type Malformed, type Message, parseMessage } from "./message.ts";
import type { Position } from "./position.ts";

/** What an envelope says: what is delivered, and to whom. */
export interface Delivery {
  readonly recipients: Message["recipients"];
  readonly event: MessageEvent;
}

/** A place where a node was, from which it counts the channel's messages that follow. */
export interface Base {
  readonly position: Position;
  /** The number of the channel's messages that the node had heard there. */
  readonly heard: number;
  /** When, in milliseconds. */
  readonly at: number;
  /** The largest message taken, in bytes of UTF-8. */
  readonly maxBytes: number;
}

/** What an envelope takes besides its text, in about bytes. */
const OVERHEAD = 256;

/**
 * An envelope as it came, and the place where it came. Most are for nobody here, so it is read when
 * somebody asks, and once: whoever hears it now or later is told the same event.
 *
 * There are very many, and each is moved by the garbage collector twice and marked often: so what a
 * run of them has in common stands in one base, and the rest is worked out when it is asked for.
 */
export class Envelope {
  readonly #base: Base;
  readonly #ahead: number;
  /** What it takes, in about bytes. */
  readonly size: number;
  /** Its text until it is read, then what it says or, in a list of one, why it is dropped. */
  #content: string | Delivery | readonly [Malformed];

  /**
   * @param base the last place before it; of an entry of the stream, the place that it makes
   * @param ahead how many of the channel's messages lie behind `base`, with this one: 0 for an entry
   */
  constructor(base: Base, ahead: number, text: string) {
    this.#base = base;
    this.#ahead = ahead;
    this.#content = text;
    this.size = text.length * 2 + OVERHEAD;
    // What is surely too large is read, and so forgotten, at once: it must not crowd out the others.
    if (text.length > base.maxBytes) {
      this.read();
      this.size = OVERHEAD;
    }
  }

  /** Which way it came. */
  get source(): "channel" | "stream" {
    return this.#ahead === 0 ? "stream" : "channel";
  }

  /** Where the node is with it. */
  get position(): Position {
    return advance(this.#base.position, this.#ahead);
  }

  /** The id of the last entry of the stream where the node is with it. */
  get stream(): string {
    return this.#base.position.stream;
  }

  /** The number of the channel's messages that the node has heard, with this one. */
  get heard(): number {
    return this.#base.heard + this.#ahead;
  }

  /** When it was heard, in milliseconds, to about one. */
  get at(): number {
    return this.#base.at;
  }

  /** Reads it. Returns what it says, or why it is dropped. */
  read(): Delivery | Malformed {
    let content = this.#content;
    if (typeof content === "string") {
      const message = parseMessage(content, this.#base.maxBytes);
      content = this.#content = typeof message === "string" ? [message] : {
        recipients: message.recipients,
        event: new MessageEvent(message.body, this.position),
      };
    }
    return "event" in content ? content : content[0];
  }
}

/** The position `ahead` of the channel's messages behind another. */
export function advance(position: Position, ahead: number): Position {
  if (ahead === 0) return position;
  const { stream, beat, since } = position;
  return { stream, beat, since: since + ahead };
}
