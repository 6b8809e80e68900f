import { getLogger } from "@logtape/logtape";
import { type PartHealth, PartStatus } from "../core/part_health.ts";
import { OutageLog } from "../logging/outage_log.ts";
import { LogLimiter, omittedText } from "../logging/rate_limited.ts";

/** What the bus does with Redis, in the order in which a fault is told of. */
export type RedisPart = "channel" | "stream" | "writes" | "notices";

export interface RedisHealthOptions {
  /** Where Redis is, for the log: `Redis at host:6379`. */
  readonly where: string;
  /** The parts in use, and why each is not well yet; undefined where it is. */
  readonly parts: Readonly<Partial<Record<RedisPart, string | undefined>>>;
}

/** Why the parts are not well before anything was tried. */
export function partsAtStart(
  { hasStream }: { readonly hasStream: boolean },
): RedisHealthOptions["parts"] {
  return {
    channel: "the channel is not subscribed yet",
    ...hasStream ? { stream: "the stream is not read yet" } : {},
    writes: "nothing was written yet",
    notices: undefined,
  };
}

/** So many lines about outages come at once, then one in so many milliseconds. */
const LOG_BURST = 20;
const LOG_EVERY_MS = 6_000;
/** A part that fails so soon after another one most likely does so for the same reason. */
const SAME_FAULT_MS = 5_000;

const log = getLogger(["keywire", "bus"]);

/** How each part of the bus is: for `/ready`, and for the log, which tells each outage and recovery. */
export class RedisHealth implements Disposable {
  readonly #parts: ReadonlyMap<RedisPart, PartStatus>;
  readonly #where: string;
  readonly #log: OutageLog;
  readonly #limiter = new LogLimiter({ everyMs: LOG_EVERY_MS, burst: LOG_BURST });
  /** The parts whose trouble was reported, other than that they have not begun. */
  readonly #down = new Set<RedisPart>();
  #downAt = 0;
  #isClosed = false;

  constructor({ where, parts }: RedisHealthOptions) {
    const now = Date.now();
    this.#where = where;
    this.#parts = new Map(
      Object.entries(parts).map(([name, reason]) => [
        name as RedisPart,
        new PartStatus(name, { now, ...reason === undefined ? {} : { reason } }),
      ]),
    );
    this.#log = new OutageLog({
      everyMs: LOG_EVERY_MS,
      burst: LOG_BURST,
      down: (line) => log.warning("{where} has trouble: {reason}{more}", { where, ...line }),
      up: ({ seconds, more }) =>
        seconds === undefined
          ? log.info("Connected to {where}", { where })
          : log.info("{where} is well again after {seconds} s{more}", { where, seconds, more }),
    });
  }

  /** Each part in use. */
  get parts(): readonly PartHealth[] {
    return [...this.#parts.values()];
  }

  /** What is wrong with the first part that is not well. */
  get unhealthyReason(): string | undefined {
    return this.parts.find(({ reason }) => reason !== undefined)?.reason;
  }

  /** A part has trouble. */
  reportDown(name: RedisPart, reason: string): void {
    const part = this.#parts.get(name);
    if (part === undefined || this.#isClosed) return;
    part.set(reason, Date.now());
    if (this.#down.has(name)) return;
    this.#down.add(name);
    if (this.#down.size > 1) return this.#logAnother(name, reason);
    this.#downAt = performance.now();
    this.#log.reportDown(`${name}: ${reason}`);
  }

  /** A part is well. */
  reportUp(name: RedisPart): void {
    const part = this.#parts.get(name);
    if (part === undefined || this.#isClosed) return;
    part.set(undefined, Date.now());
    this.#down.delete(name);
    if (this.unhealthyReason === undefined) this.#log.reportUp();
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#log[Symbol.dispose]();
  }

  /** Another part fails during an outage. */
  #logAnother(name: RedisPart, reason: string): void {
    if (performance.now() - this.#downAt < SAME_FAULT_MS) return;
    const omitted = this.#limiter.take();
    if (omitted === undefined) return;
    const line = { where: this.#where, reason: `${name}: ${reason}`, more: omittedText(omitted) };
    log.warning("{where} has more trouble: {reason}{more}", line);
  }
}
