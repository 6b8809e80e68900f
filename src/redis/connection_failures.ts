import { Tally } from "../core/tally.ts";
import { FAILURE_CLASSES, type FailureClass, failureClass } from "./failure_class.ts";

/** How often connections for one purpose failed, for one class of reasons. */
export interface ConnectionFailureCount {
  readonly connection: string;
  readonly reason: FailureClass;
  readonly count: number;
}

/** Counts connections to Redis that ended, and attempts that failed, by purpose and class. */
export class ConnectionFailures {
  readonly #tallies: ReadonlyMap<string, Tally<FailureClass>>;

  /** @param connections what the connections are for */
  constructor(...connections: readonly string[]) {
    this.#tallies = new Map(connections.map((name) => [name, new Tally(FAILURE_CLASSES)]));
  }

  /** One more failed, for `reason` as `RedisConnection` gives it; an end of our own does not count. */
  add(connection: string, reason: string): void {
    if (reason !== "closed") this.#tallies.get(connection)?.add(failureClass(reason));
  }

  /** The counts, those that are 0 too. */
  get counts(): readonly ConnectionFailureCount[] {
    return [...this.#tallies].flatMap(([connection, { counts }]) =>
      [...counts].map(([reason, count]) => ({ connection, reason, count }))
    );
  }
}
