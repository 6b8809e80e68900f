import type { Source } from "../core/position.ts";

/** What happened to a connection, or to this node, and where in its window that was. */
export interface AttachmentEvent {
  readonly kind: "opened" | "resumed" | "attached" | "ended" | "gap";
  /** In milliseconds since 1970. */
  readonly at: number;
  /** The number of the next envelope of the window. */
  readonly number: number;
  /** The connection; 0 where it is the node. */
  readonly connection: number;
  readonly recipients: readonly string[];
  /** Of `opened`: the format; of `ended`: the close code; of `gap`: the source. */
  readonly detail: string;
  /** Of `resumed`: from where on each source was read to it; absent where it was lost. */
  readonly from?: Readonly<Partial<Record<Source, number>>>;
}

/** So many events are kept. */
const CAPACITY = 8_192;

/**
 * The last connections that came and went, and the last gaps, each with its place in the window: by
 * them it can be said why a recipient did not get a message. Messages leave no trace here.
 */
export class AttachmentLog {
  readonly #events: AttachmentEvent[] = [];
  readonly #position: () => number;
  readonly #now: () => number;
  readonly #startedAt: number;
  #next = 0;

  /** @param position the number of the window's next envelope @param now in ms since 1970 */
  constructor(position: () => number, now: () => number = Date.now) {
    this.#position = position;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Since when it is complete, in milliseconds since 1970. */
  get since(): number {
    const isFull = this.#events.length === CAPACITY;
    return isFull ? this.#events[this.#next]!.at : this.#startedAt;
  }

  /** What it holds, the oldest first. */
  get events(): readonly AttachmentEvent[] {
    return [...this.#events.slice(this.#next), ...this.#events.slice(0, this.#next)];
  }

  /** Adds an event, in the place of the oldest where it is full. */
  add(event: Omit<AttachmentEvent, "at" | "number">): void {
    const { kind, connection, recipients, detail, from } = event;
    this.#events[this.#next] = {
      kind,
      at: this.#now(),
      number: this.#position(),
      connection,
      recipients,
      detail,
      ...from === undefined ? {} : { from },
    };
    this.#next = (this.#next + 1) % CAPACITY;
  }
}
