import type { BusUnavailable } from "./port.ts";

/** What {@link RedisWriteCheck} needs. */
export interface RedisWriteCheckOptions {
  /** Sends a command on the connection that writes. */
  readonly ask: (command: string, ...args: (string | number)[]) => Promise<unknown>;
  /** A stream that the node may append to. */
  readonly stream: string;
  /** Whether the server can be asked for its role; that of a Cluster is no single one. */
  readonly hasRole: boolean;
  /** Called when Redis takes what the node writes. */
  readonly onHealthy: () => void;
  /** Called when it does not, with a reason. */
  readonly onError: (reason: string) => void;
  /** Called when the connection is to be built anew: it leads to a replica, or knows no password. */
  readonly onUnusable: (reason: string) => void;
  /** Called when the connection leads to a master again, after it had led to a replica. */
  readonly onMasterFound: () => void;
}

const CHECK_EVERY_MS = 2_000;
/** While something is wrong, its end is looked for more often. */
const RECHECK_EVERY_MS = 500;
const REPLICA = "READONLY: this Redis is a replica";

/**
 * Asks every 2 s whether Redis takes what the node writes. The probe of the channel cannot tell: a
 * replica takes a PUBLISH and passes it to its own subscribers alone.
 *
 * It asks by an XADD with the id 0-0, which appends nothing: Redis refuses it for its id, and before
 * that for all that it would refuse an entry for, be it OOM, NOREPLICAS, READONLY, MISCONF, NOPERM or
 * WRONGTYPE. A replica that is writable shows in its role alone, where the ACL permits INFO.
 */
export class RedisWriteCheck implements Disposable {
  readonly #options: RedisWriteCheckOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isChecking = false;
  #isClosed = false;
  #isHealthy = false;
  #wasReplica = false;

  constructor(options: RedisWriteCheckOptions) {
    this.#options = options;
  }

  /** Checks now, and goes on doing so. */
  async check(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#isChecking || this.#isClosed) return;
    this.#isChecking = true;
    const reason = await this.#findFault();
    this.#isChecking = false;
    if (this.#isClosed) return;
    if (reason === undefined) this.#succeed();
    else this.#fail(reason);
    const ms = this.#isHealthy ? CHECK_EVERY_MS : RECHECK_EVERY_MS;
    this.#timer = setTimeout(() => this.check(), ms);
  }

  /** The connection is over, with a reason. That it led to a replica is the better one. */
  onConnectionDown(reason: string): void {
    this.#isHealthy = false;
    if (!this.#wasReplica || !reason.startsWith("CLOSED")) this.#options.onError(reason);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #succeed(): void {
    const { onHealthy, onMasterFound } = this.#options;
    this.#isHealthy = true;
    if (this.#wasReplica) onMasterFound();
    this.#wasReplica = false;
    onHealthy();
  }

  #fail(reason: string): void {
    const { onError, onUnusable } = this.#options;
    this.#isHealthy = false;
    // That there is no connection is known already, and why.
    if (reason.startsWith("CLOSED")) return;
    const isReplica = reason.startsWith("READONLY");
    this.#wasReplica ||= isReplica;
    onError(reason);
    if (isReplica || reason.startsWith("NOAUTH")) onUnusable(reason);
  }

  /** Why Redis does not take what the node writes; undefined where it does. */
  async #findFault(): Promise<string | undefined> {
    const { ask, stream } = this.#options;
    const [append, role] = await Promise.all([
      this.#reasonOf(ask("xadd", stream, "0-0", "message", "")),
      this.#roleFault(),
    ]);
    return append === undefined || append.startsWith("ERR") ? role : append;
  }

  async #roleFault(): Promise<string | undefined> {
    if (!this.#options.hasRole) return undefined;
    try {
      const info = await this.#options.ask("info", "replication");
      return /^role:slave\r?$/m.test(String(info)) ? REPLICA : undefined;
    } catch {
      return undefined; // The ACL does not permit it, or the other question fails as well.
    }
  }

  async #reasonOf(asked: Promise<unknown>): Promise<string | undefined> {
    try {
      await asked;
    } catch (error) {
      return (error as BusUnavailable).reason;
    }
  }
}
