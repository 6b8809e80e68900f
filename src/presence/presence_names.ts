/** The names of presence in Redis. What stands in braces decides where a Cluster keeps it. */
export class PresenceNames {
  readonly #prefix: string;

  /** @param prefix begins every name */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** The hash of all leases: node epoch → lease. */
  get nodes(): string {
    return `${this.#prefix}:{nodes}`;
  }

  /** The record of a recipient; percent-encoded, so that no brace of it breaks the hash tag. */
  at(recipient: string): string {
    return `${this.#prefix}:{${encodeURIComponent(recipient)}}:at`;
  }

  /** The set of the recipients whose records may hold the node `epoch`. */
  names(epoch: string): string {
    return `${this.#prefix}:{${epoch}}:names`;
  }

  /** The mark of the master that holds the slot of `tag`. */
  mark(tag: string): string {
    return `${this.#prefix}:{${tag}}:mark`;
  }
}
