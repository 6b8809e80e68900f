import { getLogger } from "@logtape/logtape";
import { LogLimiter, omittedText } from "../logging/rate_limited.ts";
import { Tally } from "../core/tally.ts";
import { KNOWN_CODES } from "../redis/redis_fault.ts";
import { type BusFailures, BusUnavailable } from "./port.ts";

/** Lines of the log about one reason are at least so far apart, in milliseconds. */
const LOG_EVERY_MS = 10_000;

/** Stands for every code that is not known: a label must not take what a server makes up. */
const OTHER = "other";
const LABELS = [...KNOWN_CODES, OTHER];

const log = getLogger(["keywire", "bus"]);

/** Counts and logs what Redis refused, or did not confirm. Nothing of what was sent is logged. */
export class RedisFailures implements BusFailures {
  readonly #publishes = new Tally<string>(LABELS);
  readonly #notices = new Tally<string>(LABELS);
  readonly #where: string;
  readonly #limiter = new LogLimiter({
    everyMs: LOG_EVERY_MS,
    onOmitted: (key, omitted) => {
      const [what, code] = key.split(" ");
      const line = { where: this.#where, omitted, what, code };
      log.warning("{where} refused or did not confirm {omitted} more of {what}: {code}", line);
    },
  });

  /** @param where Redis is, for the log */
  constructor(where: string) {
    this.#where = where;
  }

  get publishes(): ReadonlyMap<string, number> {
    return this.#publishes.counts;
  }

  get notices(): ReadonlyMap<string, number> {
    return this.#notices.counts;
  }

  /** Does what `send` does, and counts where it fails. */
  async count<T>(what: "publish" | "notice", send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      if (error instanceof BusUnavailable) this.#add(what, error);
      throw error;
    }
  }

  #add(what: "publish" | "notice", { outcome, reason }: BusUnavailable): void {
    const tally = what === "publish" ? this.#publishes : this.#notices;
    const [code = ""] = reason.split(":");
    tally.add(KNOWN_CODES.includes(code) ? code : OTHER);
    const omitted = this.#limiter.take(`${what} ${code}`);
    if (omitted === undefined) return;
    log.warning("{where} {verb} a {what}: {reason}{more}", {
      where: this.#where,
      verb: outcome === "refused" ? "refused" : "did not confirm",
      what,
      reason,
      more: omittedText(omitted),
    });
  }
}
