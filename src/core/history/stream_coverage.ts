import { compareIds } from "../position.ts";
import type { HistoryWindow } from "./history_window.ts";
import type { ReplayStart } from "./replay.ts";

/** Where the node's knowledge of the stream begins: everything behind `id` is in the window, or was. */
interface Start {
  readonly id: string;
  /** The number of the entry, of either source, that came next. */
  readonly number: number;
}

/**
 * What the node knows of the stream. It is in one of two states: `unknown`, before the first id, and
 * `covered`, from a start on. A stream that goes on elsewhere, or anew, begins with another start.
 */
export class StreamCoverage {
  #start: Start | undefined;
  /** The first entry behind the start. */
  #first: string | undefined;
  /** The last id of a stream that was replaced: positions up to here belong to that one. */
  #replaced: string | undefined;

  /** Whether anything is known of the stream. */
  get state(): "unknown" | "covered" {
    return this.#start === undefined ? "unknown" : "covered";
  }

  /** The stream goes on behind `id`; what lies between its `last` id and that may be lost. */
  begin(start: Start, last?: string): void {
    if (last !== undefined && this.#start !== undefined && compareIds(start.id, last) <= 0) {
      if (this.#replaced === undefined || compareIds(last, this.#replaced) > 0) {
        this.#replaced = last;
      }
    }
    this.#start = start;
    this.#first = undefined;
  }

  /** An entry came. */
  add(id: string): void {
    this.#first ??= id;
  }

  /**
   * Where a client at `id` goes on, while the node is at `present`: `ahead` when the node is not
   * there yet, `lost` when entries behind it may be gone.
   */
  locate(id: string, present: string, window: HistoryWindow): ReplayStart | "ahead" | "lost" {
    if (this.#replaced !== undefined && compareIds(id, this.#replaced) <= 0) return "lost";
    if (compareIds(id, present) > 0) return "ahead";
    const { id: startId, number } = this.#start ?? { id: "0-0", number: 0 };
    const oldest = window.first > number ? window.lost!.position.stream : startId;
    if (compareIds(id, oldest) < 0 || this.#isOfAnother(id, startId)) return "lost";
    const search = (isBefore: (difference: number) => boolean) =>
      // What was heard before the start is of another stream, or too old.
      Math.max(
        number,
        window.search(({ position }) => isBefore(compareIds(position.stream, id))),
      );
    return {
      first: search((difference) => difference <= 0),
      caughtUpAt: search((difference) => difference < 0),
    };
  }

  /** A stream that began empty has given no id before its first entry's: another stream has. */
  #isOfAnother(id: string, startId: string): boolean {
    if (startId !== "0-0" || id === "0-0") return false;
    return this.#first !== undefined && compareIds(id, this.#first) < 0;
  }
}
