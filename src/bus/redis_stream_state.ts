import { compareIds } from "../core/position.ts";

/**
 * What the reader of the stream does: `starting`, until it knows where its window begins; `loading`,
 * while it reads what was there before; `live` from then on.
 */
export type ReaderPhase = "starting" | "loading" | "live";

/** Where the reader of the stream is, and what it knows about that. Pure: it asks nothing. */
export class RedisStreamState {
  #phase: ReaderPhase = "starting";
  #last = "0-0";
  #lastEntryKnown = false;
  /** The last id that there was at the start. */
  #end = "0-0";

  /** What the reader does. */
  get phase(): ReaderPhase {
    return this.#phase;
  }

  /** Everything up to this id has been handed over. */
  get last(): string {
    return this.#last;
  }

  /** Whether `last` is an entry that was read, so that it must still be there. */
  get lastEntryKnown(): boolean {
    return this.#lastEntryKnown;
  }

  /** The window is known: it ends at `end`, and begins behind `entry`, the last one before it. */
  load(end: string, entry: string | undefined): void {
    this.#phase = "loading";
    this.#end = end;
    if (entry !== undefined) this.advance(entry);
  }

  /** Whether an entry belongs to the window that was there at the start. */
  isPast(id: string): boolean {
    return this.#phase !== "live" && compareIds(id, this.#end) <= 0;
  }

  /** The entry `id` is handed over. */
  advance(id: string): void {
    this.#last = id;
    this.#lastEntryKnown = true;
  }

  /** The stream goes on behind `id`, which need not be an entry. */
  jump(id: string): void {
    this.#last = id;
    this.#lastEntryKnown = false;
  }

  /** The last entry is gone, and nothing came behind it. */
  forgetEntry(): void {
    this.#lastEntryKnown = false;
  }

  /** The window is loaded. Returns false where it was already. */
  goLive(): boolean {
    if (this.#phase === "live") return false;
    this.#phase = "live";
    // The last entries of the start may be gone: the stream goes on behind them.
    if (compareIds(this.#last, this.#end) < 0) this.jump(this.#end);
    return true;
  }
}
