import type { Position, Source } from "../position.ts";
import { ServerMessage } from "../server_event.ts";
import type { HistoryWindow } from "./history_window.ts";

/** What a replay reads: a node's history. */
export interface ReplaySource {
  readonly window: HistoryWindow;
  /** Where the node is. */
  readonly position: Position;
  /** The sources in use. */
  readonly sources: readonly Source[];
  /** How often messages of each source were lost to the node. */
  readonly breaks: Readonly<Record<Source, number>>;
}

/** Where the client's position of one source lies in the window. */
export interface ReplayStart {
  /** The number of the first entry of this source that the client does not have. */
  readonly first: number;
  /** The number of the first entry with which the node was at least there. */
  readonly caughtUpAt: number;
}

/** Where messages may have been lost to a client in the middle of its replay. */
export interface Overtaken {
  readonly position: Position;
  readonly sources: readonly Source[];
}

export interface ReplayOptions {
  readonly source: ReplaySource;
  readonly recipients: readonly string[];
  /** Where the client is. */
  readonly position: Position;
  readonly starts: Readonly<Record<Source, ReplayStart>>;
}

/**
 * What one client missed, read at its pace.
 *
 * Sources come from node to node in different order, so where a client resumes it may be ahead in
 * one of them. What it has of that one is left out until the other has caught up, and no cursor on
 * the way there takes it back.
 */
export class Replay {
  readonly #source: ReplaySource;
  readonly #recipients: readonly string[];
  readonly #brought: Position;
  readonly #starts: ReplayOptions["starts"];
  #next: number;
  #breaks: Readonly<Record<Source, number>>;
  #position: Position;
  #overtaken: Overtaken | undefined;

  constructor({ source, recipients, position, starts }: ReplayOptions) {
    this.#source = source;
    this.#recipients = recipients;
    this.#brought = this.#position = position;
    this.#starts = starts;
    this.#next = Math.min(starts.channel.first, starts.stream.first);
    this.#breaks = { ...source.breaks };
  }

  /** Where the client is with what was read. */
  get position(): Position {
    return this.#position;
  }

  /** Whether everything there is was read: a client that joins the hub in the same turn misses nothing. */
  get done(): boolean {
    return this.#next === this.#source.window.end && this.#brokenSources().length === 0;
  }

  /**
   * Where the last `read` went on from, when messages may have been lost to the client just before:
   * the window has left it behind, or the node itself lost some. Undefined otherwise.
   */
  get overtaken(): Overtaken | undefined {
    return this.#overtaken;
  }

  /** The next events, in order, of about `maxSize` in all, at least one unless none is left. */
  read(maxSize: number): ServerMessage[] {
    const { window } = this.#source;
    this.#catchUp();
    const events: ServerMessage[] = [];
    let size = 0;
    for (const number of window.numbers(this.#recipients, this.#next)) {
      const entry = window.at(number)!;
      if (number < this.#starts[entry.source].first) continue;
      const delivery = entry.read();
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
    this.#position = this.#source.position;
    return events;
  }

  /** Notices what was lost since the last read. */
  #catchUp(): void {
    const { window, sources, breaks } = this.#source;
    const isBehind = this.#next < window.first;
    if (isBehind) this.#position = this.#reached(window.lost!.position, window.first - 1);
    const lost = isBehind ? sources : this.#brokenSources();
    this.#overtaken = lost.length > 0 ? { position: this.#position, sources: lost } : undefined;
    this.#breaks = { ...breaks };
  }

  #brokenSources(): Source[] {
    const { sources, breaks } = this.#source;
    return sources.filter((source) => this.#breaks[source] !== breaks[source]);
  }

  /** The event for this client: the one that all share, but for where it would take the client back. */
  #event(event: ServerMessage, number: number): ServerMessage {
    const position = this.#reached(event.position, number);
    return position === event.position ? event : new ServerMessage(event.body, position);
  }

  /** Where the client is with the entry `number`, with which the node was at `position`. */
  #reached(position: Position, number: number): Position {
    const { channel, stream } = this.#starts;
    const isBack = { channel: number < channel.caughtUpAt, stream: number < stream.caughtUpAt };
    if (!isBack.channel && !isBack.stream) return position;
    const { stream: id } = isBack.stream ? this.#brought : position;
    const { marker, since } = isBack.channel ? this.#brought : position;
    return { stream: id, marker, since };
  }
}
