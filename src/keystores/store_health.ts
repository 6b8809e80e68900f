import { setTimeout as delay } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import { type PartHealth, PartStatus } from "../core/part_health.ts";
import { OutageLog } from "../logging/outage_log.ts";

/** How often the store is asked when no client connects, in milliseconds. */
const ASK_EVERY_MS = 5_000;
const ASK_DEADLINE_MS = 2_000;
/** So many lines about outages come at once, then one in so many milliseconds. */
const LOG_BURST = 20;
const LOG_EVERY_MS = 6_000;

const logger = getLogger(["keywire", "keystores"]);

/** Why a store gave no answer. */
export interface StoreFault {
  /** What strangers may see at `/ready`: no host, no user, no text of a driver. */
  readonly shown: string;
  /** What the log says; no key is in it. */
  readonly logged: string;
}

/** What a {@link StoreHealth} needs to know of its store. */
export interface StoreHealthOptions {
  /** The store as a person calls it, such as `MongoDB`. */
  readonly name: string;
  /** Where it is, for the log. */
  readonly hosts: string;
  /** Says what an error of the store means. By default, no more than its name is told. */
  readonly faultOf?: (error: unknown) => StoreFault;
}

/** Whether a key store answers: for `/ready`, and for the log, which tells each outage and recovery. */
export class StoreHealth {
  readonly #part: PartStatus;
  readonly #log: OutageLog;
  readonly #faultOf: (error: unknown) => StoreFault;

  constructor({ name, hosts, faultOf }: StoreHealthOptions) {
    this.#part = new PartStatus("store", {
      reason: `${name} is not connected yet`,
      now: Date.now(),
    });
    this.#faultOf = faultOf ?? ((error) => {
      const fault = (error as Error).name;
      return { shown: `${name} gives no answer (${fault})`, logged: fault };
    });
    const store = { name, hosts };
    this.#log = new OutageLog({
      everyMs: LOG_EVERY_MS,
      burst: LOG_BURST,
      down: (line) =>
        logger.warning("{name} at {hosts} gives no answer: {reason}{more}", { ...store, ...line }),
      up: (line) =>
        line.seconds === undefined
          ? logger.info("Connected to {name} at {hosts}", store)
          : logger.info("{name} at {hosts} answers again after {seconds} s{more}", {
            ...store,
            ...line,
          }),
    });
  }

  /** How it is. */
  get part(): PartHealth {
    return this.#part;
  }

  /** The same in a word. */
  get status(): "up" | "down" {
    return this.#part.reason === undefined ? "up" : "down";
  }

  /** It answered. */
  reportUp(): void {
    this.#part.set(undefined, Date.now());
    this.#log.reportUp();
  }

  /** It did not. */
  reportDown(error: unknown): void {
    const { shown, logged } = this.#faultOf(error);
    this.#part.set(shown, Date.now());
    this.#log.reportDown(logged);
  }

  /** Asks by `ask` every 5 s, so that it is known when no client connects, until `closed` aborts. */
  async watch(ask: (signal: AbortSignal) => Promise<unknown>, closed: AbortSignal): Promise<void> {
    while (!closed.aborted) {
      try {
        await ask(AbortSignal.any([closed, AbortSignal.timeout(ASK_DEADLINE_MS)]));
        this.reportUp();
      } catch (error) {
        if (!closed.aborted) this.reportDown(error);
      }
      await delay(ASK_EVERY_MS, undefined, { signal: closed }).catch(() => {});
    }
    this.#log[Symbol.dispose]();
  }
}
