import type { Format } from "../format.ts";
import type { ServerEvent } from "../server_event.ts";
import { BatchNode, CHUNK_BYTES, joinTexts } from "./batch.ts";
import type { FlushScheduler } from "./flush_scheduler.ts";

/** Where an outbox writes to: the part of a transport's sink that it needs. */
export interface WritableSink {
  /** The bytes that may be handed over now; zero or less: wait. */
  readonly capacity: number;
  /** The bytes that were handed over and that the peer has not taken yet. */
  readonly bufferedBytes: number;
  /** Never waits, never throws. */
  send(text: string): void;
}

/** What a client missed, read at its pace before it hears what comes. */
export interface MissedEvents {
  /** The next events, in order, of about `maxSize` in all, at least one unless none is left. */
  read(maxSize: number): readonly ServerEvent[];
  /** Whether the client has caught up with the head. */
  readonly done: boolean;
  /** Whether the last `read` ended early, so as not to hold up others: the next is for a later turn. */
  readonly paused: boolean;
}

/** Whose outbox it is. */
export interface OutboxOwner {
  readonly format: Format;
  readonly sink: WritableSink;
  readonly host: {
    readonly scheduler: FlushScheduler;
    /** More than this owed from before a turn, in bytes, and the client is too slow. */
    readonly maxBufferedBytes: number;
  };
  /** Called once, when the client turns out to be too slow. */
  onTooSlow(): void;
  /** Called when something waits for capacity; `drain` is to be called when there may be some. */
  onBackpressure(): void;
  /** Called when what it missed is to be read on in a later turn: `drain` is to be called there. */
  onPaused(): void;
}

interface RunningReplay {
  readonly from: MissedEvents;
  readonly caughtUp: () => void;
}

/** What waits: a chunk of a batch, or one event. */
type Chunk = BatchNode | ServerEvent;

/** Most outboxes have no backlog most of the time; this one is never written to. */
const NOTHING: Chunk[] = [];

/**
 * What one connection is owed, in order. Everything owed in one turn goes out in one write, whose
 * text is shared with every connection that is owed the same. The runtime is handed little ahead of what the peer
 * reads; the rest waits here, by reference.
 */
export class Outbox {
  readonly #owner: OutboxOwner;
  #tail: BatchNode | undefined;
  #backlog: Chunk[] = NOTHING;
  #backlogSize = 0;
  #replay: RunningReplay | undefined;
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
  push(event: ServerEvent): void {
    if (this.#closed) return;
    if (this.#tail === undefined) {
      const { format, sink, host } = this.#owner;
      const isAlone = !format.batches && this.#backlog.length === 0;
      if (isAlone && sink.capacity >= event.size && host.scheduler.mayWriteAtOnce()) {
        return this.#send(event.text(format));
      }
      host.scheduler.schedule(this);
      this.#tail = host.scheduler.root.next(event);
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
      if (tail.before === undefined && this.#fits(tail)) {
        if (format.batches) return this.#send(tail.text(format));
        for (const event of tail.events) this.#send(event.text(format));
        return;
      }
    } else if (this.#backlogSize + sink.bufferedBytes > host.maxBufferedBytes) {
      return this.#giveUp();
    }
    this.#queue(tail);
    this.drain();
  }

  /** Reads `from` first, at the client's pace; `caughtUp` is called in the turn that reaches its end. */
  replay(from: MissedEvents, caughtUp: () => void): void {
    this.#replay = { from, caughtUp };
    const tail = this.#tail;
    this.#tail = undefined;
    if (tail !== undefined) this.#queue(tail); // What was owed before comes before.
    this.drain();
  }

  /** Hands over what waits, as far as there is room. Called when there may be some again. */
  drain(): void {
    const { format, sink } = this.#owner;
    let isPaused = false;
    while (!this.#closed) {
      if (this.#backlog.length === 0) {
        if (this.#replay === undefined) return;
        if (isPaused) return this.#owner.onPaused();
        if (sink.capacity <= 0) return this.#owner.onBackpressure();
        isPaused = this.#refill(this.#replay, sink.capacity);
        continue;
      }
      const chunks = this.#take();
      if (chunks.length === 0) return this.#owner.onBackpressure();
      this.#send(joinTexts(chunks, format));
    }
  }

  /**
   * Notices a peer that has taken nothing for `patienceMs` though something waits for it.
   * @param now a monotonic time, in milliseconds
   */
  check(now: number, patienceMs: number): void {
    if (this.#sent === this.#settled && this.#backlog.length === 0) return; // Most, most of the time.
    const pending = this.#owner.sink.bufferedBytes;
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
    this.#owner.onTooSlow();
  }

  #fits(chunk: Chunk): boolean {
    const { sink } = this.#owner;
    const capacity = sink.capacity;
    return capacity > 0 && (chunk.size <= capacity || sink.bufferedBytes === 0);
  }

  /** The chunks that go out next in one write; one alone where the format sends each by itself. */
  #take(): Chunk[] {
    const backlog = this.#backlog;
    if (!this.#fits(backlog[0]!)) return [];
    let size = backlog[0]!.size;
    let count = 1;
    if (this.#owner.format.batches) {
      const limit = Math.min(this.#owner.sink.capacity, CHUNK_BYTES);
      for (; count < backlog.length && size + backlog[count]!.size <= limit; count++) {
        size += backlog[count]!.size;
      }
    }
    this.#backlogSize -= size;
    if (count < backlog.length) return backlog.splice(0, count);
    this.#backlog = NOTHING;
    return backlog;
  }

  /** Moves the chunks of this turn's chain behind what waits. */
  #queue(tail: BatchNode): void {
    const chunks: BatchNode[] = [];
    for (let chunk: BatchNode | undefined = tail; chunk !== undefined; chunk = chunk.before) {
      chunks.push(chunk);
    }
    for (const chunk of chunks.reverse()) {
      this.#append(this.#owner.format.batches ? [chunk] : chunk.events);
    }
  }

  #append(chunks: readonly Chunk[]): void {
    if (this.#backlog === NOTHING) this.#backlog = [];
    for (const chunk of chunks) {
      this.#backlog.push(chunk);
      this.#backlogSize += chunk.size;
    }
  }

  /** Fetches more of the replay. Returns whether it goes on in a later turn. */
  #refill({ from, caughtUp }: RunningReplay, maxSize: number): boolean {
    const events = from.read(maxSize);
    this.#append(events);
    if (!from.done) return from.paused || events.length === 0;
    this.#replay = undefined;
    caughtUp();
    return false;
  }
}
