/** What a node allows, and how much of it is taken. A limit of 0 is off. */
export interface LimitsOptions {
  readonly maxConnections: number;
  readonly maxConnectionsPerKey: number;
  readonly maxConnectionsPerIp: number;
}

/**
 * Counts connections against the limits of the node, an address and a key. A slot is reserved before
 * the key is looked up, so that a storm cannot pass a limit while its look-ups are under way, and
 * is given back when the peer is gone, not when its connection was told to close.
 */
export class Limits {
  readonly #options: LimitsOptions;
  readonly #byAddress = new Map<string, number>();
  readonly #byKey = new Map<string, number>();
  #inUse = 0;

  constructor(options: LimitsOptions) {
    this.#options = options;
  }

  /** How many slots are in use. */
  get inUse(): number {
    return this.#inUse;
  }

  /** Reserves a slot for `address`, or says which limit stands against it. */
  reserve(address: string): Slot | "node" | "address" {
    const { maxConnections, maxConnectionsPerIp } = this.#options;
    if (this.#inUse >= maxConnections) return "node";
    if (maxConnectionsPerIp === 0) return new Slot(this, "");
    if ((this.#byAddress.get(address) ?? 0) >= maxConnectionsPerIp) return "address";
    return new Slot(this, address);
  }

  /** Counts what a slot takes, or gives back: for {@link Slot} alone. */
  count(change: 1 | -1, slot: { readonly address?: string; readonly key?: string }): void {
    if (slot.key !== undefined) return add(this.#byKey, slot.key, change);
    this.#inUse += change;
    if (slot.address) add(this.#byAddress, slot.address, change);
  }

  /** Whether `key` may have one more connection. */
  hasRoom(key: string): boolean {
    return (this.#byKey.get(key) ?? 0) < this.#options.maxConnectionsPerKey;
  }
}

/** A slot that is reserved for one connection. */
export class Slot {
  readonly #limits: Limits;
  readonly #address: string;
  #key: string | undefined;
  #released = false;

  /** @param address what it counts against, empty where addresses have no limit */
  constructor(limits: Limits, address: string) {
    this.#limits = limits;
    this.#address = address;
    limits.count(1, { address });
  }

  /** Whether it was given back. */
  get isReleased(): boolean {
    return this.#released;
  }

  /** Counts the slot against its key's limit too; false when that one is reached. */
  reserveKey(key: string): boolean {
    if (!this.#limits.hasRoom(key)) return false;
    this.#key = key;
    this.#limits.count(1, { key });
    return true;
  }

  /** Gives the slot back; the second call does nothing. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#limits.count(-1, { address: this.#address });
    if (this.#key !== undefined) this.#limits.count(-1, { key: this.#key });
  }
}

function add(counts: Map<string, number>, name: string, change: number): void {
  const count = (counts.get(name) ?? 0) + change;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
