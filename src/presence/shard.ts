import type { NoticeKind } from "./port.ts";
import type { SCRIPTS } from "./redis_scripts.ts";

/** Time, as a presence needs it: real, or simulated by a test. */
export interface Clock {
  /** Milliseconds that never go back. */
  now(): number;
  /** Calls `callback` after `ms`, unless the function that it returns is called before. */
  after(ms: number, callback: () => void): () => void;
}

/** How long everything takes, in milliseconds. */
export interface PresenceTiming {
  /** How often a node renews its lease and looks at each master. */
  readonly renewMs: number;
  /** How long a lease lasts, and how long a new registry is given until notices are decided. */
  readonly leaseMs: number;
  /** How long a recipient may be away before it counts as gone. */
  readonly graceMs: number;
  /** How long to wait after something was refused. */
  readonly retryMs: number;
  /** How often every record is compared with the truth. */
  readonly sweepMs: number;
  /** How long a name that left is remembered, longer than Redis may lose by a failover. */
  readonly forgetMs: number;
  /** When Redis forgets what is not renewed. */
  readonly keepMs: number;
}

/** One command for one key: the name of a script, or of a command of Redis in capitals. */
export type Command = readonly [
  name: keyof typeof SCRIPTS | "SADD" | "SREM" | "SSCAN" | "DEL" | "GET" | "HGETALL" | "PEXPIRE",
  key: string,
  ...args: (string | number)[],
];

/** The connection to one master was lost: what was sent may have been done. */
export class ShardLost extends Error {
  override name = "ShardLost";
}

/** A connection to one master, which opens itself anew. */
export interface ShardLink {
  /**
   * Sends commands in one pipeline.
   * @returns a reply for each, an `Error` for one that was refused
   * @throws {ShardLost}
   */
  send(commands: readonly Command[]): Promise<readonly unknown[]>;
}

/** What a {@link Shard} needs. */
export interface ShardOptions {
  readonly link: ShardLink;
  /** A key that this master holds. */
  readonly markKey: string;
  readonly clock: Clock;
  readonly timing: PresenceTiming;
  /** A text that no other node makes. */
  readonly unique: () => string;
  /** Called when commands may be sent (again). */
  readonly ready: (shard: Shard) => void;
  /** Called when the master may have lost data. */
  readonly doubted: (shard: Shard) => void;
  /** Called when every node has had the time to write again what was lost. */
  readonly trusted: (shard: Shard) => void;
  /** Called when Redis refused to mark the master, which is tried again. */
  readonly refused: (error: Error) => void;
  /** Called when a script has published a notice. */
  readonly notified: (kind: NoticeKind) => void;
}

/**
 * One master, and how far its data are to be trusted. It holds a mark that names its process and when
 * the mark was made: after a flush, a restart or a failover the mark is another one.
 */
export class Shard {
  readonly markKey: string;
  readonly #options: ShardOptions;
  #runId: string | undefined;
  #mark: string | undefined;
  #isReady = false;
  #inDoubt = false;
  #sawLoss = false;
  #checking: Promise<void> | undefined;
  #checkedAt = -Infinity;
  #steadySince = 0;
  #serverOffset = 0;

  constructor(options: ShardOptions) {
    this.#options = options;
    this.markKey = options.markKey;
  }

  /** Whether the master is connected and its mark was read since. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether nodes may not yet have written again what the master lost: no notice is decided. */
  get inDoubt(): boolean {
    return this.#inDoubt;
  }

  /** Whether this node saw it lose its data, and others may not have written theirs again. */
  get isRebuilt(): boolean {
    return this.#inDoubt && this.#sawLoss;
  }

  /** For how long it has answered in time, in milliseconds. */
  get steadyMs(): number {
    const now = this.#options.clock.now();
    if (!this.#isReady || now - this.#checkedAt > this.#lateMs) return 0;
    return now - this.#steadySince;
  }

  /** The master's clock, in milliseconds since 1970, as far as it is known. */
  get serverNow(): number {
    return Math.round(this.#options.clock.now() + this.#serverOffset);
  }

  /** Called by the link: a connection to the process `runId` takes commands. */
  connected(runId: string): void {
    this.#runId = runId;
    this.#checking = undefined;
    void this.check();
  }

  /** Called by the link: the connection is over. */
  disconnected(): void {
    this.#runId = undefined;
    this.#isReady = false;
  }

  /** Sends commands, as {@link ShardLink} does. */
  async send(commands: readonly Command[]): Promise<readonly unknown[]> {
    const replies = await this.#options.link.send(commands);
    for (const [at, command] of commands.entries()) {
      const kind = publishedBy(command, replies[at]);
      if (kind !== undefined) this.#options.notified(kind);
    }
    return replies;
  }

  /** Whether `mark`, read behind other commands, shows that the data were there all the while. */
  agrees(mark: unknown): boolean {
    return mark === this.#mark;
  }

  /** Compares the mark. Never throws. */
  check(): Promise<void> {
    if (this.#checking !== undefined) return this.#checking;
    const checking = this.#check().finally(() => {
      if (this.#checking === checking) this.#checking = undefined;
    });
    return this.#checking = checking;
  }

  async #check(): Promise<void> {
    const { timing: { keepMs }, unique, refused } = this.#options;
    const runId = this.#runId;
    if (runId === undefined) return;
    const [reply] = await this.send([["mark", this.markKey, runId, unique(), keepMs]])
      .catch(() => []);
    if (reply instanceof Error) refused(reply);
    if (!Array.isArray(reply) || runId !== this.#runId) return;
    this.#judge(String(reply[0]), Number(reply[1]));
  }

  get #lateMs(): number {
    return 2 * this.#options.timing.renewMs;
  }

  #judge(mark: string, serverNow: number): void {
    const { clock, timing: { leaseMs }, ready, doubted, trusted } = this.#options;
    const now = clock.now();
    if (now - this.#checkedAt > this.#lateMs) this.#steadySince = now;
    this.#checkedAt = now;
    this.#serverOffset = serverNow - now;
    if (mark !== this.#mark) {
      const isYoung = serverNow - Number(mark.split(" ")[2]) < leaseMs;
      // A node that comes to an old registry has nothing to doubt.
      if (this.#mark !== undefined || isYoung) {
        this.#inDoubt = true;
        this.#sawLoss ||= this.#mark !== undefined;
        this.#steadySince = now;
      }
      this.#mark = mark;
      if (this.#inDoubt) doubted(this);
    } else if (this.#inDoubt && now - this.#steadySince >= leaseMs) {
      this.#inDoubt = this.#sawLoss = false;
      trusted(this);
    }
    if (this.#isReady) return;
    this.#isReady = true;
    ready(this);
  }
}

/** Which notice a script published, by its reply. */
function publishedBy([name, , , announcement]: Command, reply: unknown): NoticeKind | undefined {
  // Where the recipient is announced already, the reply is what stands there.
  if (name === "announce" && reply === announcement) return "connected";
  return name === "remove" && reply === "gone" ? "disconnected" : undefined;
}
