import { setTimeout as delay } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { type PartHealth, PartStatus } from "../core/part_health.ts";
import { OutageLog } from "../logging/outage_log.ts";
import { publicReason, reason } from "./mongo_client.ts";

/** How often the server is asked when no client connects, in milliseconds. */
const PING_EVERY_MS = 5_000;
const PING_DEADLINE_MS = 2_000;
/** So many lines about outages come at once, then one in so many milliseconds. */
const LOG_BURST = 20;
const LOG_EVERY_MS = 6_000;

const logger = getLogger(["keywire", "keystores"]);

/** Whether MongoDB answers: for `/ready`, and for the log, which tells each outage and recovery. */
export class MongoHealth {
  readonly #part = new PartStatus("store", {
    reason: "MongoDB is not connected yet",
    now: Date.now(),
  });
  readonly #log: OutageLog;

  /** @param hosts where MongoDB is, for the log */
  constructor(hosts: string) {
    this.#log = new OutageLog({
      everyMs: LOG_EVERY_MS,
      burst: LOG_BURST,
      down: (line) =>
        logger.warning("MongoDB at {hosts} gives no answer: {reason}{more}", { hosts, ...line }),
      up: ({ seconds, more }) =>
        seconds === undefined
          ? logger.info("Connected to MongoDB at {hosts}", { hosts })
          : logger.info("MongoDB at {hosts} answers again after {seconds} s{more}", {
            hosts,
            seconds,
            more,
          }),
    });
  }

  /** How it is. */
  get part(): PartHealth {
    return this.#part;
  }

  /** It answered. */
  reportUp(): void {
    this.#part.set(undefined, Date.now());
    this.#log.reportUp();
  }

  /** It did not. */
  reportDown(error: unknown): void {
    this.#part.set(publicReason(error), Date.now());
    this.#log.reportDown(reason(error));
  }

  /** Asks by `ping` every 5 s, so that it is known when no client connects, until `closed` aborts. */
  async watch(ping: (signal: AbortSignal) => Promise<unknown>, closed: AbortSignal): Promise<void> {
    while (!closed.aborted) {
      try {
        await ping(AbortSignal.timeout(PING_DEADLINE_MS));
        this.reportUp();
      } catch (error) {
        if (!closed.aborted) this.reportDown(error);
      }
      await delay(PING_EVERY_MS, undefined, { signal: closed }).catch(() => {});
    }
    this.#log[Symbol.dispose]();
  }
}
