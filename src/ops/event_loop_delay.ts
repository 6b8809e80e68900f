import { getLogger } from "@logtape/logtape";
import { Buckets } from "../core/buckets.ts";
import { LogLimiter, omittedText } from "../logging/rate_limited.ts";

/** How often it is looked whether the event loop is late, in milliseconds. */
const EVERY_MS = 100;
const BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A process that did nothing for so long was stopped, starved or busy: the log tells it, in ms. */
const TOLD_MS = 1_000;
const LOG_EVERY_MS = 10_000;
/** A lease tells the worst of about so long, in milliseconds: it is renewed each 3 s. */
const PERIOD_MS = 3_000;

const log = getLogger(["keywire", "ops"]);

/** Measures how late the timers of this process are: so long a message may wait at worst. */
export class EventLoopDelay implements Disposable {
  /** How late timers were, in seconds. */
  readonly seconds = new Buckets(BOUNDS);
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #limiter = new LogLimiter({ everyMs: LOG_EVERY_MS });
  /** The worst of this period and of the one before, in milliseconds. */
  #worst: [number, number] = [0, 0];
  #periodEnds = performance.now() + PERIOD_MS;

  constructor() {
    let due = performance.now() + EVERY_MS;
    this.#timer = setInterval(() => {
      const now = performance.now();
      this.#observe(now - due);
      due = now + EVERY_MS;
    }, EVERY_MS);
  }

  /** The worst of the last few seconds, in milliseconds. */
  get worstMs(): number {
    return Math.max(...this.#worst);
  }

  #observe(lateMs: number): void {
    this.seconds.observe(lateMs / 1000);
    if (performance.now() >= this.#periodEnds) {
      this.#periodEnds = performance.now() + PERIOD_MS;
      this.#worst = [0, this.#worst[0]];
    }
    this.#worst[0] = Math.max(this.#worst[0], lateMs);
    if (lateMs < TOLD_MS) return;
    const omitted = this.#limiter.take();
    if (omitted === undefined) return;
    const line = { seconds: Math.round(lateMs / 100) / 10, more: omittedText(omitted) };
    log.warning(
      "The process stood still for {seconds} s: stopped, busy or without CPU{more}",
      line,
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
