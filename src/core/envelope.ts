import { MessageEvent } from "./event.ts";
import { type Malformed, type Message, parseMessage } from "./message.ts";
import type { Position } from "./position.ts";

/** What an envelope says: what is delivered, and to whom. */
export interface Delivery {
  readonly recipients: Message["recipients"];
  readonly event: MessageEvent;
}

/** What an envelope takes besides its text, in about bytes. */
const OVERHEAD = 256;

export interface EnvelopeOptions {
  readonly source: "channel" | "stream";
  readonly text: string;
  /** Where the node is with it. */
  readonly position: Position;
  /** The number of the channel's messages that this node has heard, with this one. */
  readonly heard: number;
  /** When it was heard, in milliseconds. */
  readonly at: number;
  /** The largest message taken, in bytes of UTF-8. */
  readonly maxBytes: number;
}

/**
 * An envelope as it came, and the place where it came. Most are for nobody here, so it is read when
 * somebody asks, and once: whoever hears it now or later is told the same event.
 */
export class Envelope {
  readonly source: "channel" | "stream";
  readonly position: Position;
  readonly heard: number;
  readonly at: number;
  /** What it takes, in about bytes. */
  readonly size: number;
  readonly #maxBytes: number;
  #text: string;
  #delivery: Delivery | Malformed | undefined;

  constructor({ source, text, position, heard, at, maxBytes }: EnvelopeOptions) {
    this.source = source;
    this.position = position;
    this.heard = heard;
    this.at = at;
    this.#maxBytes = maxBytes;
    this.#text = text;
    // What is surely too large is read, and so forgotten, at once: it must not crowd out the others.
    if (text.length > maxBytes) this.read();
    this.size = this.#text.length * 2 + OVERHEAD;
  }

  /** Reads it. Returns what it says, or why it is dropped. */
  read(): Delivery | Malformed {
    if (this.#delivery === undefined) {
      const message = parseMessage(this.#text, this.#maxBytes);
      this.#text = "";
      this.#delivery = typeof message === "string" ? message : {
        recipients: message.recipients,
        event: new MessageEvent(message.body, this.position),
      };
    }
    return this.#delivery;
  }
}
