import { Queue } from "../core/history/queue.ts";
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

/** So many events are kept, */
const CAPACITY = 8_192;
/** and fewer where their connections hear for very many: names take memory, most have one or two. */
const MAX_NAMES = 500_000;

/**
 * The last connections that came and went, and the last gaps, each with its place in the window: by
 * them it can be said why a recipient did not get a message. Messages leave no trace here.
 */
export class AttachmentLog {
  readonly #events = new Queue<AttachmentEvent>();
  readonly #position: () => number;
  readonly #now: () => number;
  readonly #startedAt: number;
  /** How many recipients the events name, each event its own. */
  #names = 0;

  /** @param position the number of the window's next envelope @param now in ms since 1970 */
  constructor(position: () => number, now: () => number = Date.now) {
    this.#position = position;
    this.#now = now;
    this.#startedAt = now();
  }

  /** Since when it is complete, in milliseconds since 1970. */
  get since(): number {
    const { first } = this.#events;
    return first === 0 ? this.#startedAt : this.#events.at(first)?.at ?? this.#startedAt;
  }

  /** What it holds, the oldest first. */
  get events(): readonly AttachmentEvent[] {
    const { first, end } = this.#events;
    return Array.from({ length: end - first }, (_, at) => this.#events.at(first + at)!);
  }

  /** Adds an event; the oldest go where there is no room for them. */
  add(event: Omit<AttachmentEvent, "at" | "number">): void {
    const { kind, connection, recipients, detail, from } = event;
    this.#events.push({
      kind,
      at: this.#now(),
      number: this.#position(),
      connection,
      recipients,
      detail,
      ...from === undefined ? {} : { from },
    });
    this.#names += recipients.length;
    for (;;) {
      const count = this.#events.end - this.#events.first;
      if (count <= CAPACITY && (this.#names <= MAX_NAMES || count === 1)) return;
      this.#names -= this.#events.shift()!.recipients.length;
    }
  }
}
