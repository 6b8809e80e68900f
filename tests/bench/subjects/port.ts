/** A subject is a server that the same load is put on. */
import type { Clients, Publishing } from "../generator.ts";
import type { Address } from "../templates.ts";

/** What a subject is started with. */
export interface Surroundings {
  readonly redisPort: number;
  /** How many keys may connect. */
  readonly keys: number;
}

/** A subject that runs, alone on its core. */
export interface RunningSubject extends AsyncDisposable {
  readonly port: number;
  /** The processes whose CPU and memory count. */
  readonly pids: readonly number[];
  readonly clients: Clients;
  /** How a message for `address` is published; undefined when it cannot address so. */
  publish(address: Address): Publishing | undefined;
}

/** A server to measure. */
export interface Subject {
  /** As on the command line. */
  readonly name: string;
  /** As in the table. */
  readonly title: string;
  /** Measured in these scenarios alone; in all that compare servers when absent. */
  readonly only?: readonly string[];
  /** Messages in flight where the subject does better with another number than the scenario's. */
  readonly inFlight?: number;
  /**
   * Fetches or builds what it needs, into the user's cache.
   * @throws when that cannot be had
   */
  prepare(): Promise<void>;
  start(surroundings: Surroundings): Promise<RunningSubject>;
}
