import type { ServerMessage } from "../server_event.ts";

/** What an event takes besides its texts, in about bytes. */
const OVERHEAD = 512;
/** Its body, and what it is written as, of two bytes a character at most. */
const BYTES_A_CHARACTER = 4;

/**
 * The events of envelopes that were replayed lately, by number, so that clients that missed the same
 * are told the same event. What was not asked for during half of it is forgotten.
 */
export class EventCache {
  readonly #maxBytes: number;
  #recent = new Map<number, ServerMessage>();
  #older = new Map<number, ServerMessage>();
  #recentBytes = 0;
  #olderBytes = 0;

  /** @param maxBytes it takes no more, in about bytes, but for one event */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** What it takes, in about bytes. */
  get bytes(): number {
    return this.#recentBytes + this.#olderBytes;
  }

  /** The event of the envelope `number`; undefined when it is not here. */
  get(number: number): ServerMessage | undefined {
    const event = this.#recent.get(number);
    if (event !== undefined) return event;
    const older = this.#older.get(number);
    if (older === undefined) return undefined;
    this.#older.delete(number);
    this.#olderBytes -= sizeOf(older);
    this.add(number, older);
    return older;
  }

  /** Keeps the event of the envelope `number`, which is not here. */
  add(number: number, event: ServerMessage): void {
    const size = sizeOf(event);
    if (this.#recentBytes + size > this.#maxBytes / 2) {
      this.#older = this.#recent;
      this.#olderBytes = this.#recentBytes;
      this.#recent = new Map();
      this.#recentBytes = 0;
    }
    if (size > this.#maxBytes / 2) return;
    this.#recent.set(number, event);
    this.#recentBytes += size;
  }

  /** Forgets all of them. */
  clear(): void {
    this.#recent = new Map();
    this.#older = new Map();
    this.#recentBytes = this.#olderBytes = 0;
  }
}

function sizeOf(event: ServerMessage): number {
  return OVERHEAD + BYTES_A_CHARACTER * event.size;
}
