import { compareIds } from "../core/position.ts";
import type { BusUnavailable } from "./port.ts";
import type { RedisStreamState } from "./redis_stream_state.ts";

/** What {@link RedisStreamWatch} needs. */
export interface RedisStreamWatchOptions {
  /** Sends a command on another connection than the reader's. */
  readonly ask: (command: string, ...args: (string | number)[]) => Promise<unknown>;
  /** The name of the stream. */
  readonly stream: string;
  /** Where the reader is. */
  readonly reader: Readonly<Pick<RedisStreamState, "last" | "lastEntryKnown" | "phase">>;
  /** Called when the reader's last entry is gone, or the stream ends before it. */
  readonly onTrimmed: () => void;
  /** Called when the stream cannot be looked at, with a reason. */
  readonly onCheckFailed: (reason: string) => void;
  /** Called when the reader trails the stream, with a reason; `stuck`: it has not moved at all. */
  readonly onStalled: (reason: string, stuck: boolean) => void;
}

const CHECK_EVERY_MS = 1_000;
const DEAF_AFTER_MS = 5_000;

/**
 * Asks each second, on another connection than the reader's, where the stream ends and whether the
 * reader's last entry is still there. A reader that does not get to the end counts as stalled, whatever its own
 * connection says.
 */
export class RedisStreamWatch implements Disposable {
  readonly #options: RedisStreamWatchOptions;
  /** An id that the reader should have reached, and where it stood, when. */
  #goal: { id: string; from: string; since: number } | undefined;
  #lagSeconds: number | undefined;
  #checkedAt = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  constructor(options: RedisStreamWatchOptions) {
    this.#options = options;
  }

  /** Looks, and goes on doing so. */
  start(): void {
    this.#timer = setTimeout(() => this.#check(), CHECK_EVERY_MS);
  }

  /** From the reader's last id to the stream's, in seconds; undefined where that is not known. */
  get lagSeconds(): number | undefined {
    return this.#lagSeconds;
  }

  /** Whether a reader at `last` has yet to reach what it should have. */
  isTrailing(last: string): boolean {
    return this.#goal !== undefined && compareIds(last, this.#goal.id) < 0;
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #check(): Promise<void> {
    const { ask, stream, reader, onTrimmed, onCheckFailed } = this.#options;
    const { last, lastEntryKnown } = reader;
    try {
      const [newest, own] = await Promise.all([
        ask("xrevrange", stream, "+", "-", "COUNT", 1) as Promise<[id: string][]>,
        ask("xrange", stream, last, last, "COUNT", 1) as Promise<unknown[]>,
      ]);
      this.#checkedAt = performance.now();
      const end = newest[0]?.[0] ?? "0-0";
      if (lastEntryKnown ? own.length === 0 : compareIds(end, last) < 0) onTrimmed();
      this.#compare(end);
    } catch (error) {
      this.#lagSeconds = undefined;
      if (performance.now() - this.#checkedAt > DEAF_AFTER_MS) {
        onCheckFailed(`the stream cannot be checked: ${(error as BusUnavailable).reason}`);
      }
    }
    if (!this.#isClosed) this.start();
  }

  #compare(end: string): void {
    const { last, phase } = this.#options.reader;
    const goal = this.#goal;
    const lagMs = Number.parseInt(end) - Number.parseInt(last);
    this.#lagSeconds = phase === "live" ? Math.max(0, lagMs) / 1000 : undefined;
    if (phase !== "live" || compareIds(end, last) <= 0) {
      this.#goal = undefined;
    } else if (goal === undefined || compareIds(last, goal.id) >= 0) {
      this.#goal = { id: end, from: last, since: performance.now() };
    } else if (performance.now() - goal.since > DEAF_AFTER_MS) {
      const reason = `the reader trails the stream for more than ${DEAF_AFTER_MS} ms`;
      this.#options.onStalled(reason, last === goal.from);
      this.#goal = undefined;
    }
  }
}
