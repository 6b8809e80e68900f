import { getLogger } from "@logtape/logtape";
import { OutageLog } from "../logging/outage_log.ts";
import { LogLimiter, omittedText } from "../logging/rate_limited.ts";

/** Two lines about the same are at least so far apart, in milliseconds. */
const LOG_EVERY_MS = 10_000;

const log = getLogger(["keywire", "presence"]);

/** What presence tells of its Redis, and of the nodes: each outage and its end, who vanished. */
export class PresenceLog implements Disposable {
  readonly #where: string;
  readonly #limiter: LogLimiter;
  readonly #outages: OutageLog;

  /** @param where Redis is: `Redis at host:6379` */
  constructor(where: string) {
    this.#where = where;
    this.#limiter = new LogLimiter({
      everyMs: LOG_EVERY_MS,
      onOmitted: (reason, omitted) => {
        const line = { where, reason, omitted };
        log.warning("{where} refused {omitted} more of what presence asks: {reason}", line);
      },
    });
    this.#outages = new OutageLog({
      everyMs: LOG_EVERY_MS,
      down: (line) => log.warning("Presence waits for {where}: {reason}{more}", { where, ...line }),
      up: ({ seconds, more }) => {
        if (seconds === undefined) return; // The bus tells of the first connection.
        log.info("Presence reaches {where} again after {seconds} s{more}", {
          where,
          seconds,
          more,
        });
      },
    });
  }

  /** Redis refused what was asked, which is tried again. */
  refused(reason: string): void {
    const omitted = this.#limiter.take(reason);
    if (omitted === undefined) return;
    log.warning("{where} refuses what presence asks, which is tried again: {reason}{more}", {
      where: this.#where,
      reason,
      more: omittedText(omitted),
    });
  }

  /** A master is not reached. */
  reportDown(reason: string): void {
    this.#outages.reportDown(reason);
  }

  /** Every master is reached. */
  reportUp(): void {
    this.#outages.reportUp();
  }

  /** Another node did not renew its lease, and what it left behind was removed. */
  reaped(node: string, address: string): void {
    log.warning("The node {node} at {address} vanished: its recipients were told as disconnected", {
      node,
      address,
    });
  }

  /** This node lost its lease, and goes on under another. */
  rejoined(reaped: boolean): void {
    if (reaped) {
      log.warning(
        "This node did not renew its lease in time, and others told its recipients as " +
          "disconnected: it registers them anew",
      );
    } else {
      log.info("The lease of this node is gone from Redis: it registers its recipients anew");
    }
  }

  [Symbol.dispose](): void {
    this.#outages[Symbol.dispose]();
  }
}
