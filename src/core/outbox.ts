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

/** Whose outbox it is. */
export interface OutboxOwner {
  readonly format: Format;
  readonly sink: Outlet;
  readonly host: {
    readonly turn: Turn;
    /** More than this owed from before a turn, in bytes, and the client is too slow. */
    readonly maxBufferedBytes: number;
  };
  /** Called once, when the client turns out to be too slow. */
  tooSlow(): void;
  /** Called when something waits for room, so that `drain` is called when there may be some. */
  waits(): void;
}

/** A run of events that waits: a piece of the chain, or one event. */
type Run = Link | Event;

/** Most outboxes have no backlog most of the time; this one is never written to. */
const NOTHING: Run[] = [];

/**
 * What one connection is owed, in order. Everything owed in one turn goes out in one write, whose
 * text is shared with whoever is owed the same. The runtime is handed little ahead of what the peer
 * reads; the rest waits here, by reference.
 */
export class Outbox {
  readonly #owner: OutboxOwner;
  #tail: Link | undefined;
  #backlog: Run[] = NOTHING;
  #backlogSize = 0;
  #replay: { from: Replay; caughtUp: () => void } | undefined;
  #closed = false;
  #sent = 0;
  #taken = 0;
  /** What had been sent when last everything was taken. */
  #settled = 0;
  #movedAt: number | undefined;

  constructor(owner: OutboxOwner) {
    this.#owner = owner;
  }

  /** What waits here and was not handed over, in about bytes. */
  get backlog(): number {
    return this.#backlogSize;
  }

  /** What was handed over, in UTF-16 units. */
  get sent(): number {
    return this.#sent;
  }

  /** Owes `event`, behind all that is owed. */
  push(event: Event): void {
    if (this.#closed) return;
    if (this.#tail === undefined) {
      const { format, sink, host } = this.#owner;
      if (format === "plain" && this.#backlog.length === 0 && sink.room >= event.size) {
        return this.#send(event.text(format));
      }
      host.turn.owe(this);
      this.#tail = host.turn.root.next(event);
    } else {
      this.#tail = this.#tail.next(event);
    }
  }

  /** Hands over what this turn owes, as far as there is room. */
  flush(): void {
    const tail = this.#tail;
    if (tail === undefined || this.#closed) return;
    this.#tail = undefined;
    const { format, sink, host } = this.#owner;
    if (this.#backlog.length === 0 && this.#replay === undefined) {
      if (format !== "plain" && tail.before === undefined && this.#fits(tail)) {
        return this.#send(tail.text(format));
      }
    } else if (this.#backlogSize + sink.pending > host.maxBufferedBytes) {
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
    const { format } = this.#owner;
    while (!this.#closed) {
      if (this.#backlog.length === 0 && !this.#refill()) return;
      const runs = this.#take();
      if (runs.length === 0) return this.#owner.waits();
      this.#send(join(runs, format));
    }
  }

  /**
   * Notices a peer that has taken nothing for `patienceMs` though something waits for it.
   * @param now a monotonic time, in milliseconds
   */
  check(now: number, patienceMs: number): void {
    if (this.#sent === this.#settled && this.#backlog.length === 0) return; // Most, most of the time.
    const pending = this.#owner.sink.pending;
    const taken = this.#sent - pending;
    const idle = pending === 0 && this.#backlog.length === 0;
    if (idle) this.#settled = this.#sent;
    if (idle || taken > this.#taken || this.#movedAt === undefined) {
      this.#movedAt = now;
      this.#taken = taken;
    } else if (now - this.#movedAt >= patienceMs) {
      this.#giveUp();
    } else {
      // What is sent is counted in UTF-16 units and what pends in bytes, so this falls at a send.
      this.#taken = Math.min(this.#taken, taken);
    }
  }

  /** Forgets all that is owed; nothing is written afterwards. */
  close(): void {
    this.#closed = true;
    this.#tail = undefined;
    this.#backlog = NOTHING;
    this.#backlogSize = 0;
    this.#replay = undefined;
  }

  #send(text: string): void {
    if (text === "") return; // The format has no such event.
    this.#sent += text.length;
    this.#owner.sink.send(text);
  }

  #giveUp(): void {
    if (this.#closed) return;
    this.close();
    this.#owner.tooSlow();
  }

  #fits(run: Run): boolean {
    const { sink } = this.#owner;
    const room = sink.room;
    return room > 0 && (run.size <= room || sink.pending === 0);
  }

  /** The runs that go out next in one write. Plain clients get a frame, or a response, each. */
  #take(): Run[] {
    const backlog = this.#backlog;
    if (!this.#fits(backlog[0]!)) return [];
    let size = backlog[0]!.size;
    let count = 1;
    if (this.#owner.format !== "plain") {
      const room = this.#owner.sink.room;
      for (; count < backlog.length && size + backlog[count]!.size <= room; count++) {
        size += backlog[count]!.size;
      }
    }
    this.#backlogSize -= size;
    if (count < backlog.length) return backlog.splice(0, count);
    this.#backlog = NOTHING;
    return backlog;
  }

  /** Moves the pieces of this turn's chain behind what waits. */
  #queue(tail: Link): void {
    const pieces: Link[] = [];
    for (let piece: Link | undefined = tail; piece !== undefined; piece = piece.before) {
      pieces.push(piece);
    }
    for (const piece of pieces.reverse()) {
      this.#await(this.#owner.format === "plain" ? piece.events() : [piece]);
    }
  }

  #await(runs: readonly Run[]): void {
    if (this.#backlog === NOTHING) this.#backlog = [];
    for (const run of runs) {
      this.#backlog.push(run);
      this.#backlogSize += run.size;
    }
  }

  /** Fetches more of the replay. Returns whether something waits now. */
  #refill(): boolean {
    const replay = this.#replay;
    if (replay === undefined) return false;
    const room = this.#owner.sink.room;
    if (room <= 0) {
      this.#owner.waits();
      return false;
    }
    const events = replay.from.read(room);
    this.#await(events);
    if (replay.from.done) {
      this.#replay = undefined;
      replay.caughtUp();
    }
    return events.length > 0;
  }
}
