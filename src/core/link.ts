import type { Event, Format } from "./event.ts";

/**
 * How much a connection's runtime is handed ahead of what its peer has read, in about bytes; a piece
 * of the chain is no larger, unless it is a single event.
 */
export const PIECE_SIZE = 65_536;

/** What one event costs on the wire besides its message: frame, names and cursor, about. */
const OVERHEAD = 80;

/**
 * A link of the chain of what is owed in one turn of the event loop.
 *
 * Connections that are owed the same run of events stand at the same link, so its text is joined once
 * and handed to all of them. A link stands for the run from the beginning of its piece up to its
 * event; where a piece is full, the next event begins a new one, with the full one before it.
 */
export class Link {
  /** The last link of the piece before this one, undefined in a turn's first piece. */
  readonly before: Link | undefined;
  /** The size of the run that this link stands for. */
  readonly size: number;
  readonly #previous: Link | undefined;
  readonly #event: Event | undefined;
  #next: Link | undefined;
  #v1: string | undefined;
  #sse: string | undefined;

  private constructor(previous?: Link, event?: Event) {
    this.#event = event;
    const size = event === undefined ? 0 : event.size + OVERHEAD;
    const begins = previous === undefined || previous.size === 0 ||
      previous.size + size > PIECE_SIZE;
    this.#previous = begins ? undefined : previous;
    this.before = !begins ? previous.before : previous?.size ? previous : undefined;
    this.size = begins ? size : previous.size + size;
  }

  /** The link at which nothing is owed: where every connection stands at the start of a turn. */
  static root(): Link {
    return new Link();
  }

  /** The link of this run and `event` behind it: made once, and found again by whoever asks next. */
  next(event: Event): Link {
    const next = this.#next;
    return next !== undefined && next.#event === event ? next : this.#next = new Link(this, event);
  }

  /** The events of the run, the oldest first. */
  events(): Event[] {
    const events: Event[] = [];
    // deno-lint-ignore no-this-alias -- the walk begins here
    let link: Link | undefined = this;
    while (link !== undefined) {
      if (link.#event !== undefined) events.push(link.#event);
      link = link.#previous;
    }
    return events.reverse();
  }

  /** The run in `format`, as one text; empty where that format has no such events. */
  text(format: Format): string {
    if (format === "sse") return this.#sse ??= join(this.events(), format);
    return this.#v1 ??= join(this.events(), format);
  }
}

/** Joins the texts of `runs`: lines in `v1`, and blocks, which bring their own end, in `sse`. */
export function join(
  runs: readonly { text(format: Format): string }[],
  format: Format,
): string {
  if (runs.length === 1) return runs[0]!.text(format);
  return runs.map((run) => run.text(format)).filter((text) => text !== "").join(
    format === "sse" ? "" : "\n",
  );
}
