import type { Command } from "../../../src/presence/shard.ts";

type Value = Map<string, string> | Set<string> | string;

/** A notice as backends hear it. */
export interface Notice {
  readonly kind: string;
  readonly recipient: string;
}

/** Precautions of the scripts that a test may leave out, to see that they are needed. */
export type ScriptRule =
  | "compares with what was announced"
  | "leaves fields whose deadline lies ahead"
  | "condemns only a lease that has not changed"
  | "remembers who was reaped"
  | "restores what was announced silently";

/**
 * One master of Redis with the scripts of presence, written again in TypeScript. A test holds both
 * against each other.
 */
export class SimulatedRedis {
  readonly data: Map<string, Value> = new Map();
  runId = "run-0".padEnd(40, ".");
  #restarts = 0;
  #saved = "";

  constructor(
    readonly now: () => number,
    readonly publish: (notice: Notice) => void,
    readonly omitted?: ScriptRule | undefined,
  ) {}

  /** Called before each command. */
  before: (command: Command) => void = () => {};

  /** Runs one command. */
  run(command: Command): unknown {
    this.before(command);
    const [name, key, ...args] = command;
    const texts = args.map(String);
    switch (name) {
      case "put":
        return this.#put(key, texts);
      case "announce":
        return this.#announce(key, texts);
      case "remove":
        return this.#remove(key, texts);
      case "mark":
        return this.#mark(key, texts);
      case "renew":
        return this.#renew(key, texts);
      case "condemn":
        return this.#condemn(key, texts);
      case "end":
        return this.#end(key, texts);
      case "SADD": {
        const set = this.#get(key, () => new Set<string>());
        const before = set.size;
        for (const text of texts) set.add(text);
        return set.size - before;
      }
      case "SREM":
        return this.#removeFrom(key, texts);
      case "SSCAN":
        return ["0", [...this.data.get(key) as Set<string> ?? []]];
      case "DEL":
        return Number(this.data.delete(key));
      case "GET":
        return this.data.get(key) ?? null;
      case "HGETALL":
        return [...this.data.get(key) as Map<string, string> ?? []].flat();
      case "PEXPIRE":
        return Number(this.data.has(key));
    }
  }

  /** Loses everything, as FLUSHALL does. */
  flush(): void {
    this.data.clear();
  }

  /** Remembers its data, as a replica or a disk does. */
  save(): void {
    this.#saved = JSON.stringify([...this.data].map(([key, value]) => [
      key,
      value instanceof Map
        ? { map: [...value] }
        : value instanceof Set
        ? { set: [...value] }
        : value,
    ]));
  }

  /** Becomes another process, with what was saved last. */
  restart(): void {
    this.runId = `run-${++this.#restarts}`.padEnd(40, ".");
    this.data.clear();
    for (const [key, value] of JSON.parse(this.#saved || "[]")) {
      const { map, set } = value;
      this.data.set(key, map ? new Map(map) : set ? new Set(set) : value);
    }
  }

  #hash(key: string): Map<string, string> {
    return this.#get(key, () => new Map<string, string>());
  }

  #get<T extends Value>(key: string, make: () => T): T {
    let value = this.data.get(key) as T | undefined;
    if (value === undefined) {
      value = make();
      this.data.set(key, value);
    }
    return value;
  }

  #removeFrom(key: string, fields: readonly string[]): number {
    const value = this.data.get(key) as Map<string, string> | Set<string> | undefined;
    let removed = 0;
    for (const field of fields) removed += Number(value?.delete(field) ?? false);
    if (value?.size === 0) this.data.delete(key);
    return removed;
  }

  #put(key: string, [epoch, field, announced, withdrawn, _keep, ...former]: string[]): unknown {
    const hash = this.#hash(key);
    hash.set(epoch!, field!);
    this.#removeFrom(key, former);
    if (announced !== "" && this.omitted !== "restores what was announced silently") {
      hash.set("!", announced!);
      return announced;
    }
    if (withdrawn!.split(",").includes(hash.get("!") ?? "none")) hash.delete("!");
    return hash.get("!") ?? null;
  }

  #announce(key: string, [epoch, since, kind, recipient]: string[]): unknown {
    const isThere = (this.data.get(key) as Map<string, string> | undefined)?.has(epoch!) === true;
    if (!isThere) return null;
    const hash = this.#hash(key);
    const before = hash.get("!");
    if (before !== undefined && this.omitted !== "compares with what was announced") return before;
    hash.set("!", since!);
    this.publish({ kind: kind!, recipient: recipient! });
    return since;
  }

  #remove(
    key: string,
    [epoch, mode, now, kind, recipient, _keep, gone, slack, ...former]: string[],
  ): unknown {
    const hash = this.data.get(key) as Map<string, string> | undefined;
    const isStale = mode === "leave" && gone!.split(",").includes(hash?.get("!") ?? "none");
    if (isStale) this.#removeFrom(key, ["!"]);
    let field = hash?.get(epoch!);
    for (const each of former) if (this.#removeFrom(key, [each]) === 1) field ??= "";
    if (field === undefined) return "absent";
    const ahead = (value: string): number | undefined => {
      const parts = value.split(" ");
      return parts[0] === "0" && parts.length === 3 ? Number(parts[2]) - Number(now) : undefined;
    };
    if (mode === "reap" && this.omitted !== "leaves fields whose deadline lies ahead") {
      const left = ahead(field);
      if (left !== undefined && left > 0) return left;
    }
    const holders = [...hash ?? []].filter(([name, value]) => {
      return name !== "!" && name !== epoch && (ahead(value) ?? 1) > -Number(slack);
    }).map(([name]) => name);
    const isAnnounced = hash?.has("!") === true ||
      this.omitted === "compares with what was announced";
    if (mode === "leave" || holders.length > 0 || !isAnnounced) {
      this.#removeFrom(key, [epoch!]);
      return holders;
    }
    this.publish({ kind: kind!, recipient: recipient! });
    this.#removeFrom(key, [epoch!, "!"]);
    return "gone";
  }

  #mark(key: string, [runId, unique]: string[]): unknown {
    let mark = this.data.get(key) as string | undefined;
    if (mark === undefined || !mark.startsWith(runId!)) {
      mark = `${runId} ${unique} ${this.#time}`;
      this.data.set(key, mark);
    }
    return [mark, this.#time];
  }

  #renew(key: string, [epoch, mode, data, _keep, ...reaped]: string[]): unknown {
    const hash = this.#hash(key);
    const mine = hash.get(epoch!);
    const isHeld = mode === "join" || (mine !== undefined && !mine.startsWith("x"));
    if (isHeld) hash.set(epoch!, `${this.#time} ${data}`);
    const remembers = this.omitted !== "remembers who was reaped";
    for (const each of remembers ? reaped : []) {
      if (!hash.has(`-${each}`)) hash.set(`-${each}`, this.#time);
    }
    return [Number(isHeld), [...hash].flat()];
  }

  #condemn(key: string, [epoch, seen]: string[]): unknown {
    const record = (this.data.get(key) as Map<string, string> | undefined)?.get(epoch!);
    if (record === undefined) return null;
    const space = record.indexOf(" ");
    const mustMatch = this.omitted !== "condemns only a lease that has not changed";
    if (mustMatch && record.slice(0, space) !== seen) return null;
    const stamp = `x${this.#time}`;
    this.#hash(key).set(epoch!, stamp + record.slice(space));
    return stamp;
  }

  #end(key: string, [epoch, how]: string[]): unknown {
    const hash = this.#hash(key);
    const record = hash.get(epoch!);
    if (how === "condemned") {
      if (record !== undefined) hash.set(epoch!, `x0${record.slice(record.indexOf(" "))}`);
      return 1;
    }
    hash.delete(epoch!);
    if (how === "reaped") hash.set(`-${epoch}`, this.#time);
    if ([...hash.keys()].every((field) => field.startsWith("-"))) this.data.delete(key);
    return 1;
  }

  get #time(): string {
    return String(Math.floor(this.now()));
  }
}
