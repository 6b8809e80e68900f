/** How many lines of one kind may be written. */
export interface LogLimits {
  /** A line becomes free so often, in milliseconds. */
  readonly everyMs: number;
  /** How many may come at once. */
  readonly burst?: number;
  /** The clock, in milliseconds; it never goes back. */
  readonly now?: () => number;
  /**
   * Called when a line has become free and none was asked for meanwhile, with how many of `key` were
   * left out, so that the count of a burst is not kept back until the next one.
   */
  readonly onOmitted?: (key: string, omitted: number) => void;
  /** Whether such a line would still say anything; by default it would. */
  readonly isOwed?: (key: string) => boolean;
}

interface Kind {
  /** When its lines are all free again. */
  fullAt: number;
  omitted: number;
  timer?: ReturnType<typeof setTimeout> | undefined;
}

/**
 * Decides which lines are written, so that a fault that every message meets does not flood the log.
 * Lines are limited by their key, a word out of a small set, and what is left out is counted.
 */
export class LogLimiter implements Disposable {
  readonly #everyMs: number;
  readonly #burst: number;
  readonly #now: () => number;
  readonly #onOmitted: LogLimits["onOmitted"];
  readonly #isOwed: (key: string) => boolean;
  readonly #kinds = new Map<string, Kind>();

  constructor(limits: LogLimits) {
    const { everyMs, burst = 1, now = () => performance.now(), isOwed = () => true } = limits;
    this.#onOmitted = limits.onOmitted;
    this.#isOwed = isOwed;
    this.#everyMs = everyMs;
    this.#burst = burst;
    this.#now = now;
  }

  /**
   * Asks for a line. Returns how many of this key were left out since the last one that was written;
   * undefined where this one is to be left out, too.
   */
  take(key = ""): number | undefined {
    const now = this.#now();
    const kind: Kind = this.#kinds.get(key) ?? { fullAt: now, omitted: 0 };
    this.#kinds.set(key, kind);
    if (this.waitMs(key) > 0) {
      kind.omitted++;
      this.#tellLater(key, kind);
      return undefined;
    }
    clearTimeout(kind.timer);
    kind.timer = undefined;
    kind.fullAt = Math.max(kind.fullAt, now) + this.#everyMs;
    const { omitted } = kind;
    kind.omitted = 0;
    return omitted;
  }

  /** How long it takes until there is a line for this key, in milliseconds. */
  waitMs(key = ""): number {
    const fullAt = this.#kinds.get(key)?.fullAt ?? -Infinity;
    return Math.max(0, fullAt - (this.#burst - 1) * this.#everyMs - this.#now());
  }

  /** No line comes late any more. */
  [Symbol.dispose](): void {
    for (const { timer } of this.#kinds.values()) clearTimeout(timer);
  }

  #tellLater(key: string, kind: Kind): void {
    const onOmitted = this.#onOmitted;
    if (onOmitted === undefined || kind.timer !== undefined) return;
    kind.timer = setTimeout(() => {
      kind.timer = undefined;
      if (!this.#isOwed(key)) return;
      const omitted = this.take(key);
      if (omitted !== undefined) onOmitted(key, omitted);
    }, Math.ceil(this.waitMs(key)));
    Deno.unrefTimer(kind.timer); // it keeps no process alive
  }
}

/** The end of a line that says how many of its kind were left out before it. */
export function omittedText(omitted: number): string {
  return omitted === 0
    ? ""
    : ` (${omitted} more such ${omitted === 1 ? "line" : "lines"} left out)`;
}

/**
 * A function that calls `say` at most once in `ms` milliseconds. `say` is told how often it was called
 * for since, and the last detail.
 */
export function rateLimited(
  ms: number,
  say: (times: number, detail: string) => void,
): (detail?: string) => void {
  let last = "";
  const limiter = new LogLimiter({ everyMs: ms, onOmitted: (_, omitted) => say(omitted, last) });
  return (detail = "") => {
    last = detail;
    const omitted = limiter.take();
    if (omitted !== undefined) say(omitted + 1, detail);
  };
}
