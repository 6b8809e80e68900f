import { type Malformed, type Message, parseMessage } from "../message.ts";
import { advance, type Position, type Source } from "../position.ts";
import { ServerMessage } from "../server_event.ts";

/** What an envelope says: what is delivered, and to which recipients. */
export interface Delivery {
  readonly recipients: Message["recipients"];
  readonly event: ServerMessage;
}

/** Entries in a row that came at about one time, all but the first of them on the channel. */
export interface EntryRun {
  /** The number of the first. */
  readonly first: number;
  /** Which way the first came. */
  readonly source: Source;
  /** Where the node is with the first. */
  readonly position: Position;
  /** How many of the channel's messages the node has heard, with the first. */
  readonly heard: number;
  /** When the first was heard, in milliseconds. */
  readonly at: number;
  /** The largest message taken, in bytes of UTF-8. */
  readonly maxBytes: number;
}

/** An envelope as it came, and where it came. It is read at the first demand, and once. */
export class HistoryEntry {
  readonly #run: EntryRun;
  readonly #number: number;
  #text: string;
  #delivery: Delivery | Malformed | undefined;

  /** @param number its own, in the run or right behind what there is of it */
  constructor(run: EntryRun, number: number, text: string) {
    this.#run = run;
    this.#number = number;
    this.#text = text;
  }

  /** Which way it came. */
  get source(): Source {
    return this.#number === this.#run.first ? this.#run.source : "channel";
  }

  /** When it was heard, in milliseconds of the history's clock. */
  get at(): number {
    return this.#run.at;
  }

  /** Where the node is with it. */
  get position(): Position {
    return advance(this.#run.position, this.#number - this.#run.first);
  }

  /** How many of the channel's messages the node has heard, with this one. */
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
        event: new ServerMessage(message.body, this.position),
      };
    }
    return this.#delivery;
  }
}
