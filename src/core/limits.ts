/** What a node allows, and how much of it is taken. A limit of 0 is off. */
export interface LimitsOptions {
  readonly maxConnections: number;
  readonly maxConnectionsPerKey: number;
  readonly maxConnectionsPerIp: number;
}

/**
 * Counts connections against the limits of the node, an address and a key. A place is reserved before
 * the key is looked up, so that a storm cannot pass a limit while its look-ups are under way, and
 * is given back when the peer is gone, not when its connection was told to close.
 */
export class Limits {
  readonly #options: LimitsOptions;
  readonly #byAddress = new Map<string, number>();
  readonly #byKey = new Map<string, number>();
  #taken = 0;

  constructor(options: LimitsOptions) {
    this.#options = options;
  }

  /** The places that are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Reserves a place for `address`, or says which limit stands against it. */
  reserve(address: string): Place | "node" | "address" {
    const { maxConnections, maxConnectionsPerIp } = this.#options;
    if (this.#taken >= maxConnections) return "node";
    if (maxConnectionsPerIp > 0 && (this.#byAddress.get(address) ?? 0) >= maxConnectionsPerIp) {
      return "address";
    }
    this.#taken++;
    if (maxConnectionsPerIp > 0) add(this.#byAddress, address, 1);
    let key: string | undefined;
    let released = false;
    return {
      takeKey: (wanted) => {
        if ((this.#byKey.get(wanted) ?? 0) >= this.#options.maxConnectionsPerKey) return false;
        add(this.#byKey, key = wanted, 1);
        return true;
      },
      release: () => {
        if (released) return;
        released = true;
        this.#taken--;
        if (maxConnectionsPerIp > 0) add(this.#byAddress, address, -1);
        if (key !== undefined) add(this.#byKey, key, -1);
      },
    };
  }
}

/** A place that is reserved for one connection. */
export interface Place {
  /** Counts the place against its key's limit too; false when that one is reached. */
  takeKey(key: string): boolean;
  /** Gives the place back; the second call does nothing. */
  release(): void;
}

function add(counts: Map<string, number>, name: string, change: number): void {
  const count = (counts.get(name) ?? 0) + change;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
