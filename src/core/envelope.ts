import { MessageEvent } from "./event.ts";
import { type Malformed, type Message, parseMessage } from "./message.ts";
import type { Position } from "./position.ts";

/** What an envelope says: what is delivered, and to whom. */
export interface Delivery {
  readonly recipients: Message["recipients"];
  readonly event: MessageEvent;
}

/** Envelopes in a row that came at about one time, all but the first of them on the channel. */
export interface Run {
  /** The number of the first. */
  readonly first: number;
  /** Which way the first came. */
  readonly source: "channel" | "stream";
  /** Where the node is with the first. */
  readonly position: Position;
  /** The number of the channel's messages that the node has heard with the first. */
  readonly heard: number;
  /** When the first was heard, in milliseconds. */
  readonly at: number;
  /** The largest message taken, in bytes of UTF-8. */
  readonly maxBytes: number;
}

/** An envelope as it came, and the place where it came. It is read when somebody asks, and once. */
export class Envelope {
  readonly #run: Run;
  readonly #number: number;
  #text: string;
  #delivery: Delivery | Malformed | undefined;

  /** @param number its own, in the run or right behind what there is of it */
  constructor(run: Run, number: number, text: string) {
    this.#run = run;
    this.#number = number;
    this.#text = text;
  }

  /** Which way it came. */
  get source(): Run["source"] {
    return this.#number === this.#run.first ? this.#run.source : "channel";
  }

  /** Where the node is with it. */
  get position(): Position {
    return advance(this.#run.position, this.#number - this.#run.first);
  }

  /** The number of the channel's messages that the node has heard, with this one. */
  get heard(): number {
    return this.#run.heard + this.#number - this.#run.first;
  }

  /** Reads it. Returns what it says, or why it is dropped. */
  read(): Delivery | Malformed {
    if (this.#delivery === undefined) {
      const message = parseMessage(this.#text, this.#run.maxBytes);
      this.#text = "";
      this.#delivery = typeof message === "string" ? message : {
        recipients: message.recipients,
        event: new MessageEvent(message.body, this.position),
      };
    }
    return this.#delivery;
  }
}

/** The position `ahead` of the channel's messages behind another. */
export function advance(position: Position, ahead: number): Position {
  if (ahead === 0) return position;
  const { stream, beat, since } = position;
  return { stream, beat, since: since + ahead };
}
