import type { Position, Source } from "../position.ts";
import { ServerMessage } from "../server_event.ts";
import type { HistoryWindow } from "./history_window.ts";
import type { RecipientQuery } from "./index_segment.ts";

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
  readonly #query: RecipientQuery;
  readonly #brought: Position;
  readonly #starts: ReplayOptions["starts"];
  #next: number;
  #breaks: Readonly<Record<Source, number>>;
  #position: Position;
  #overtaken: Overtaken | undefined;
  #paused = false;

  constructor({ source, recipients, position, starts }: ReplayOptions) {
    this.#source = source;
    this.#query = source.window.query(recipients);
    this.#brought = this.#position = position;
    this.#starts = starts;
    this.#next = Math.min(starts.channel.first, starts.stream.first);
    this.#breaks = { ...source.breaks };
  }

  /** The number of the first entry of each source that is read, where there is one. */
  get starts(): Readonly<Record<Source, ReplayStart>> {
    return this.#starts;
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

  /**
   * Whether the last `read` ended before its size was reached though it was not `done`, so as not to hold
   * up others: the next one is for a later turn.
   */
  get paused(): boolean {
    return this.#paused;
  }

  /**
   * The next events, in order, of about `maxSize` in all, at least one unless none is left, or unless it
   * would take too long to find it: see `paused`.
   */
  read(maxSize: number): ServerMessage[] {
    const { window } = this.#source;
    const enough = window.work + window.maxReadWork;
    window.index(this.#next, window.maxReadWork);
    this.#catchUp();
    this.#paused = true;
    // Where the index took all that, the next read finds it made.
    const events = window.work < enough ? this.#readUntil(enough, maxSize) : [];
    this.#paused &&= this.#next < window.end;
    if (this.#next === window.end) this.#position = this.#source.position;
    window.trim(); // What was found may have taken up room.
    return events;
  }

  /** Sets `paused`, unless it ends because of the size or at the head; gets on by one envelope at least. */
  #readUntil(enough: number, maxSize: number): ServerMessage[] {
    const { window } = this.#source;
    const events: ServerMessage[] = [];
    let left = maxSize;
    this.#paused = false;
    while (this.#next < window.end) {
      const { end, numbers } = window.find(this.#query, this.#next);
      for (const number of numbers) {
        this.#next = number;
        const event = this.#eventAt(number);
        if (event !== undefined) {
          left -= event.size;
          if (left < 0 && events.length > 0) return events;
          events.push(event);
          this.#position = event.position;
        }
        this.#next++;
        this.#paused = window.work >= enough;
        if (this.#paused) return events;
      }
      this.#next = end;
      this.#paused = window.work >= enough;
      if (this.#paused) return events;
      window.index(end, enough - window.work);
      // What the index takes may have pushed out what comes next, as the next read will tell.
      this.#paused = end < window.first;
      if (this.#paused) return events;
    }
    return events;
  }

  /** What the client is told of an envelope; undefined where it has that, or it is malformed. */
  #eventAt(number: number): ServerMessage | undefined {
    const { window } = this.#source;
    const { source } = window.at(number)!;
    if (number < this.#starts[source].first) return undefined;
    const event = window.event(number);
    return event && this.#event(event, number);
  }

  /** Notices what was lost since the last read. */
  #catchUp(): void {
    const { window, sources, breaks } = this.#source;
    const isBehind = this.#next < window.first;
    if (isBehind) {
      this.#position = this.#reached(window.lost!.position, window.first - 1);
      this.#next = window.first;
    }
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
