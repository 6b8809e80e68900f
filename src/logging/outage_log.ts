import { LogLimiter, type LogLimits, omittedText } from "./rate_limited.ts";

export interface OutageLogOptions extends Omit<LogLimits, "onOmitted" | "isOwed"> {
  /** Writes that it went down, why, and `more`: how many lines were left out before, or nothing. */
  readonly down: (line: { readonly reason: string; readonly more: string }) => void;
  /** Writes that it is up, after `seconds` of being down; undefined where it was not down before. */
  readonly up: (line: { readonly seconds: number | undefined; readonly more: string }) => void;
}

/**
 * Logs each outage of one thing, and each recovery. Where it goes up and down faster than lines may
 * be written, they are left out and counted; the last state is written as soon as a line is free, so
 * that the log never ends with a state that has passed.
 */
export class OutageLog implements Disposable {
  readonly #options: OutageLogOptions;
  readonly #limiter: LogLimiter;
  readonly #now: () => number;
  /** What it is, and what the last line said. */
  #state: "up" | "down" | undefined;
  #written: "up" | "down" | undefined;
  #reason = "";
  #downAt: number | undefined;
  /** How long the last outage took. */
  #seconds: number | undefined;

  constructor(options: OutageLogOptions) {
    const { everyMs, burst = 1, now = () => performance.now() } = options;
    this.#options = options;
    this.#now = now;
    this.#limiter = new LogLimiter({
      everyMs,
      burst,
      now,
      isOwed: () => this.#written !== this.#state,
      // What is written late was counted as left out.
      onOmitted: (_, omitted) => this.#write(omitted - 1),
    });
  }

  /** It is down. Only the first reason of an outage is written. */
  reportDown(reason: string): void {
    if (this.#state === "down") return;
    this.#state = "down";
    this.#reason = reason;
    this.#downAt = this.#now();
    this.#report();
  }

  /** It is up. */
  reportUp(): void {
    if (this.#state === "up") return;
    this.#state = "up";
    if (this.#downAt !== undefined) {
      this.#seconds = Math.round((this.#now() - this.#downAt) / 100) / 10;
    }
    this.#report();
  }

  [Symbol.dispose](): void {
    this.#limiter[Symbol.dispose]();
  }

  #report(): void {
    const omitted = this.#limiter.take();
    if (omitted !== undefined) this.#write(omitted);
  }

  #write(omitted: number): void {
    this.#written = this.#state;
    const more = omittedText(omitted);
    if (this.#state === "down") return this.#options.down({ reason: this.#reason, more });
    this.#options.up({ seconds: this.#seconds, more });
  }
}
