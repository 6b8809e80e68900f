import type { Event, Format } from "./event.ts";
import { join, Link } from "./link.ts";
import type { Turn } from "./turn.ts";

/** Where an outbox writes to: the part of a transport's sink that it needs. */
export interface Outlet {
  /** The bytes that may be handed over now; zero or less: wait. */
  readonly room: number;
  /** The bytes that were handed over and not taken by the peer yet. */
  readonly pending: number;
  /** Never waits, never throws. */
  send(text: string): void;
}

/** What a client missed, read at its pace before it hears what comes. */
export interface Replay {
  /** The next events, in order, of about `maxSize` in all, at least one unless none is left. */
  read(maxSize: number): readonly Event[];
  /** Whether the client has caught up with the head. */
  readonly done: boolean;
}

export interface OutboxOptions {
  readonly format: Format;
  readonly outlet: Outlet;
  readonly turn: Turn;
  /** More than this owed from before a turn, in bytes, and the client is too slow. */
  readonly maxBufferedBytes: number;
  /** Called once, when the client turns out to be too slow. */
  readonly tooSlow: () => void;
  /** Called when something waits for room, so that `drain` is called when there may be some. */
  readonly waiting: () => void;
}

/** A run of events that waits: a piece of the chain, or one event. */
type Run = Link | Event;

/**
 * What one connection is owed, in order. Everything owed in one turn goes out in one write, whose
 * text is shared with whoever is owed the same. The runtime is handed little ahead of what the peer
 * reads; the rest waits here, by reference.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  #tail: Link | undefined;
  #backlog: Run[] = [];
  #backlogSize = 0;
  #replay: { from: Replay; caughtUp: () => void } | undefined;
  #closed = false;
  #sent = 0;
  #taken = 0;
  #movedAt: number | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** What waits here and was not handed over, in about bytes. */
  get backlog(): number {
    return this.#backlogSize;
  }

  /** Owes `event`, behind all that is owed. */
  push(event: Event): void {
    if (this.#closed) return;
    const { format, outlet, turn } = this.#options;
    if (this.#tail === undefined) {
      if (format === "plain" && this.#backlog.length === 0 && outlet.room >= event.size) {
        return this.#send(event.text(format));
      }
      turn.owe(this);
      this.#tail = turn.root.next(event);
    } else {
      this.#tail = this.#tail.next(event);
    }
  }

  /** Hands over what this turn owes, as far as there is room. */
  flush(): void {
    const tail = this.#tail;
    if (tail === undefined || this.#closed) return;
    this.#tail = undefined;
    const { format, outlet, maxBufferedBytes } = this.#options;
    if (this.#backlog.length === 0 && this.#replay === undefined) {
      if (format !== "plain" && tail.before === undefined && this.#fits(tail)) {
        return this.#send(tail.text(format));
      }
    } else if (this.#backlogSize + outlet.pending > maxBufferedBytes) {
      return this.#giveUp();
    }
    this.#queue(tail);
    this.drain();
  }

  /** Reads `from` first, at the client's pace; `caughtUp` is called in the turn that reaches its end. */
  replay(from: Replay, caughtUp: () => void): void {
    this.#replay = { from, caughtUp };
    const tail = this.#tail;
    this.#tail = undefined;
    if (tail !== undefined) this.#queue(tail); // What was owed before comes before.
    this.drain();
  }

  /** Hands over what waits, as far as there is room. Called when there may be some again. */
  drain(): void {
    const { format, waiting } = this.#options;
    while (!this.#closed) {
      if (this.#backlog.length === 0 && !this.#refill()) return;
      const runs = this.#take();
      if (runs.length === 0) return waiting();
      this.#send(join(runs, format));
    }
  }

  /**
   * Notices a peer that has taken nothing for `patienceMs` though something waits for it.
   * @param now a monotonic time, in milliseconds
   */
  check(now: number, patienceMs: number): void {
    const pending = this.#options.outlet.pending;
    const taken = this.#sent - pending;
    const idle = pending === 0 && this.#backlog.length === 0;
    if (idle || taken > this.#taken || this.#movedAt === undefined) {
      this.#movedAt = now;
      this.#taken = taken;
    } else if (now - this.#movedAt >= patienceMs) {
      this.#giveUp();
    }
  }

  /** Forgets all that is owed; nothing is written afterwards. */
  close(): void {
    this.#closed = true;
    this.#tail = undefined;
    this.#backlog = [];
    this.#backlogSize = 0;
    this.#replay = undefined;
  }

  #send(text: string): void {
    if (text === "") return; // The format has no such event.
    this.#sent += text.length;
    this.#options.outlet.send(text);
  }

  #giveUp(): void {
    if (this.#closed) return;
    this.close();
    this.#options.tooSlow();
  }

  #fits(run: Run): boolean {
    const { outlet } = this.#options;
    const room = outlet.room;
    return room > 0 && (run.size <= room || outlet.pending === 0);
  }

  /** The runs that go out next in one write. Plain clients get a frame, or a response, each. */
  #take(): Run[] {
    const backlog = this.#backlog;
    if (!this.#fits(backlog[0]!)) return [];
    let size = backlog[0]!.size;
    let count = 1;
    if (this.#options.format !== "plain") {
      const room = this.#options.outlet.room;
      for (; count < backlog.length && size + backlog[count]!.size <= room; count++) {
        size += backlog[count]!.size;
      }
    }
    this.#backlogSize -= size;
    return backlog.splice(0, count);
  }

  /** Moves the pieces of this turn's chain behind what waits. */
  #queue(tail: Link): void {
    const pieces: Link[] = [];
    for (let piece: Link | undefined = tail; piece !== undefined; piece = piece.before) {
      pieces.push(piece);
    }
    for (const piece of pieces.reverse()) {
      const runs = this.#options.format === "plain" ? piece.events() : [piece];
      for (const run of runs) {
        this.#backlog.push(run);
        this.#backlogSize += run.size;
      }
    }
  }

  /** Fetches more of the replay. Returns whether something waits now. */
  #refill(): boolean {
    const replay = this.#replay;
    if (replay === undefined) return false;
    const room = this.#options.outlet.room;
    if (room <= 0) {
      this.#options.waiting();
      return false;
    }
    const events = replay.from.read(room);
    this.#backlog.push(...events);
    for (const event of events) this.#backlogSize += event.size;
    if (replay.from.done) {
      this.#replay = undefined;
      replay.caughtUp();
    }
    return events.length > 0;
  }
}
