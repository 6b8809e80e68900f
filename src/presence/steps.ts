import type { Entry, Step } from "./entry.ts";
import type { Lease } from "./lease.ts";
import type { PresenceNames } from "./presence_names.ts";
import type { Clock, Command, PresenceTiming } from "./shard.ts";

/** What {@link Steps} need. */
export interface StepsOptions {
  readonly lease: Lease;
  readonly names: PresenceNames;
  readonly clock: Clock;
  readonly timing: PresenceTiming;
  /** Where the notices go. */
  readonly connectedChannel: string;
  readonly disconnectedChannel: string;
  /** Called when nothing of an entry is left in its record. */
  readonly gone: (entry: Entry) => void;
  /** Called when an entry without sockets stays in its record until then. */
  readonly held: (entry: Entry, until: number) => void;
}

/** How far the clocks that nodes take for that of Redis may be apart. */
const CLOCKS_MS = 1_000;

/** How many ended announcements are remembered of a recipient. */
const WITHDRAWN_KEPT = 8;

/** What is to be sent for an entry, and what its reply means. */
export class Steps {
  readonly #options: StepsOptions;
  /** Recipients whose records hold epochs that may be of no node. */
  readonly strays = new Map<string, readonly string[]>();

  constructor(options: StepsOptions) {
    this.#options = options;
  }

  /** What is to be sent for `entry` now; undefined: nothing. */
  next(entry: Entry): Step | "park" | undefined {
    const { isStale, written, shard: { inDoubt } } = entry;
    if (entry.sockets > 0) {
      if (isStale || written !== entry.sockets) return this.#step(entry, "put");
      if (entry.announced !== "") return;
      return inDoubt ? "park" : this.#step(entry, "announce");
    }
    if (entry.isGone) {
      return isStale ? this.#step(entry, "remove") : undefined;
    }
    const isKnown = written !== undefined || isStale;
    if (!isKnown) return void this.#options.gone(entry);
    if (inDoubt || this.#options.clock.now() < entry.heldUntil) {
      if (isStale || written !== 0) return this.#step(entry, "put");
      return inDoubt ? "park" : undefined;
    }
    return this.#step(entry, "remove");
  }

  /** The command of a step. */
  command({ entry, kind, epoch, sockets, mode, restores }: Step): Command {
    const { names, clock, timing, connectedChannel, disconnectedChannel } = this.#options;
    const { recipient, since, shard } = entry;
    const key = names.at(recipient);
    if (kind === "announce") {
      const announcement = `${shard.serverNow} ${epoch}`;
      return ["announce", key, epoch, announcement, connectedChannel, recipient];
    }
    if (kind === "put") {
      const heldMs = Math.max(
        entry.heldUntil - clock.now(),
        shard.inDoubt ? 2 * timing.leaseMs : 0,
      );
      if (sockets === 0) entry.sureUntil = clock.now() + heldMs + 2 * timing.leaseMs;
      const field = sockets > 0
        ? `${sockets} ${since}`
        : `0 ${since} ${Math.ceil(shard.serverNow + heldMs)}`;
      if (entry.epoch !== "" && entry.epoch !== epoch) (entry.former ??= []).push(entry.epoch);
      entry.epoch = epoch;
      const former = entry.former ?? [];
      const announced = restores ? entry.announced : "";
      return ["put", key, epoch, field, announced, entry.withdrawn, timing.keepMs, ...former];
    }
    const now = shard.serverNow;
    return [
      "remove",
      key,
      epoch,
      mode,
      now,
      disconnectedChannel,
      recipient,
      timing.keepMs,
      entry.withdrawn,
      2 * timing.leaseMs,
      ...entry.former ?? [],
    ];
  }

  /** Takes a reply in. Returns whether the record was not as this node had left it. */
  apply(step: Step, reply: unknown): boolean {
    const { entry, kind, epoch, sockets } = step;
    if (kind === "remove") return this.#removed(step, reply);
    if (epoch !== this.#options.lease.epoch) return this.#overtaken(step, reply);
    if (kind === "put") {
      const isSure = this.isSure(entry);
      if (sockets > 0) entry.sureUntil = Infinity;
      entry.written = sockets;
      entry.former = undefined;
      entry.wasTried = false;
      // What stands there in doubt may have come back with lost writes.
      if (typeof reply === "string") entry.announced ||= entry.shard.inDoubt ? "" : reply;
      // What was announced stands in the record as long as the node's own field does.
      else if (entry.announced !== "" && isSure) return this.#lost(entry);
      else entry.announced = "";
      return false;
    }
    if (typeof reply !== "string") return this.#lost(entry);
    entry.announced = reply;
    return false;
  }

  /** A reply that comes when the node has another epoch already. */
  #overtaken({ entry, kind, epoch }: Step, reply: unknown): false {
    entry.isStale = true;
    if (kind === "put" || typeof reply !== "string") return false;
    // What was announced stays announced, unless a reaper took it back.
    if (this.#options.lease.wasReaped(epoch)) return false;
    entry.announced = reply;
    entry.restores = true;
    return false;
  }

  /** Whether the command may have been done is not known. */
  unanswered({ entry, kind, restores }: Step): void {
    entry.isStale = true;
    entry.restores ||= restores;
    if (kind !== "remove" || entry.isGone) return;
    entry.wasTried = true;
    entry.announced = "";
    entry.restores = false;
  }

  /** Whether what was announced still is, as long as nothing was lost. */
  isSure(entry: Entry): boolean {
    return this.#options.clock.now() + CLOCKS_MS < entry.sureUntil;
  }

  #removed({ entry, isFirst }: Step, reply: unknown): boolean {
    entry.former = undefined;
    if (entry.isGone) return false;
    if (reply === "absent" && isFirst && entry.announced !== "") {
      const { clock, timing: { leaseMs } } = this.#options;
      if (entry.sockets === 0) this.#options.held(entry, clock.now() + leaseMs);
      return this.#lost(entry);
    }
    entry.written = undefined;
    entry.wasTried = false;
    const holders = Array.isArray(reply) ? reply as string[] : [];
    this.#noteStrays(entry.recipient, holders);
    if (holders.length === 0 && entry.announced !== "") {
      const before = entry.withdrawn === "" ? [] : entry.withdrawn.split(",");
      entry.withdrawn = [...before, entry.announced].slice(-WITHDRAWN_KEPT).join(",");
    }
    entry.announced = "";
    if (entry.sockets === 0) this.#options.gone(entry);
    return false;
  }

  /** The record lost this node's field: it is written again with what was announced. */
  #lost(entry: Entry): boolean {
    entry.written = undefined;
    entry.isStale = entry.restores = true;
    return true;
  }

  #noteStrays(recipient: string, holders: readonly string[]): void {
    const { records } = this.#options.lease;
    const unknown = holders.filter((epoch) => !records.has(epoch));
    if (unknown.length > 0 && this.strays.size < 10_000) this.strays.set(recipient, unknown);
  }

  #step(entry: Entry, kind: Step["kind"]): Step {
    const { epoch } = this.#options.lease;
    const { isGone, restores, shard: { inDoubt } } = entry;
    return {
      entry,
      kind,
      mode: isGone && inDoubt ? "leave" : "own",
      restores,
      epoch: kind === "remove" && entry.epoch !== "" ? entry.epoch : epoch,
      sockets: entry.sockets,
      isFirst: !entry.wasTried,
    };
  }
}
