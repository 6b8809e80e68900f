import type { Format } from "../format.ts";
import type { ServerEvent } from "../server_event.ts";

/** How much a connection's runtime is handed ahead of what its peer has read, in bytes. */
export const AHEAD_BYTES = 65_536;
/**
 * What is written at once is no larger, in bytes, unless it is a single event: 32 KiB is the default
 * limit of some clients, and a kibibyte of it covers what is counted too low below.
 */
export const CHUNK_BYTES = 31 * 1_024;

/** What one event takes on the wire besides its message, in bytes: names, cursor and line break. */
const OVERHEAD = 112;

/**
 * A node of the chain of what connections are owed in one turn of the event loop.
 *
 * Connections that are owed the same run of events stand at the same node, so its text is joined once
 * and handed to all of them. A node stands for the run from the beginning of its chunk up to its
 * event; where a chunk is full, the next event begins a new one, with the full one before it.
 */
export class BatchNode {
  /** The last node of the chunk before this one, undefined in a turn's first chunk. */
  readonly before: BatchNode | undefined;
  /** The size of the run that this node stands for. */
  readonly size: number;
  readonly #previous: BatchNode | undefined;
  readonly #event: ServerEvent | undefined;
  #next: BatchNode | undefined;
  #events: readonly ServerEvent[] | undefined;
  #v1: string | undefined;
  #sse: string | undefined;

  private constructor(previous?: BatchNode, event?: ServerEvent) {
    this.#event = event;
    const size = event === undefined ? 0 : event.size + OVERHEAD;
    const begins = previous === undefined || previous.size === 0 ||
      previous.size + size > CHUNK_BYTES;
    this.#previous = begins ? undefined : previous;
    this.before = !begins ? previous.before : previous?.size ? previous : undefined;
    this.size = begins ? size : previous.size + size;
  }

  /** The node at which nothing is owed: where every connection stands at the start of a turn. */
  static root(): BatchNode {
    return new BatchNode();
  }

  /** The node of this run and `event` behind it: made once, and found again by every other caller. */
  next(event: ServerEvent): BatchNode {
    const next = this.#next;
    return next !== undefined && next.#event === event
      ? next
      : this.#next = new BatchNode(this, event);
  }

  /** The events of the run, the oldest first: one list for all that stand here. */
  get events(): readonly ServerEvent[] {
    return this.#events ??= this.#collect();
  }

  /** The run in `format`, as one text; empty where that format has no such events. */
  text(format: Format): string {
    if (format.slot === 2) return this.#sse ??= joinTexts(this.events, format);
    return this.#v1 ??= joinTexts(this.events, format);
  }

  #collect(): ServerEvent[] {
    const events: ServerEvent[] = [];
    // deno-lint-ignore no-this-alias -- the walk begins here
    let node: BatchNode | undefined = this;
    while (node !== undefined) {
      if (node.#event !== undefined) events.push(node.#event);
      node = node.#previous;
    }
    return events.reverse();
  }
}

/** Joins the texts of `chunks`, each an event or a run of events. */
export function joinTexts(
  chunks: readonly { text(format: Format): string }[],
  format: Format,
): string {
  if (chunks.length === 1) return chunks[0]!.text(format);
  return chunks.map((chunk) => chunk.text(format)).filter((text) => text !== "")
    .join(format.separator);
}
