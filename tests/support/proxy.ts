/** A TCP proxy that fails as networks do: cut, half-open, refusing, losing a request or a reply. */

/** Forwards the connections of a free port of 127.0.0.1 to another port there. */
export class Proxy implements AsyncDisposable {
  readonly port: number;
  /** The port that new connections are taken to. */
  target: number;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #pumps = new Set<Promise<void>>();
  #listener: Deno.TcpListener;
  #held = Promise.withResolvers<void>();
  #replyBudget = Infinity;
  #rewrite: ((request: string) => string) | undefined;

  constructor(target: number) {
    this.target = target;
    this.#held.resolve();
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.port = this.#listener.addr.port;
    this.#track(this.#accept(this.#listener));
  }

  /** How many connections pass through now. */
  get connections(): number {
    return this.#connections.size / 2;
  }

  /** Cuts every connection that there is; new ones pass. */
  cut(): void {
    for (const connection of this.#connections) close(connection);
    this.#connections.clear();
  }

  /** Moves no byte more in either direction, and closes nothing: every connection is half-open. */
  hold(): void {
    this.#held = Promise.withResolvers();
  }

  /** Moves bytes again, those that were held back first. */
  release(): void {
    this.#held.resolve();
  }

  /** Cuts every connection and refuses new ones, until {@link accept}. */
  refuse(): void {
    this.#listener.close();
    this.cut();
  }

  /** Takes connections again after {@link refuse}. */
  accept(): void {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: this.port });
    this.#track(this.#accept(this.#listener));
  }

  /**
   * Cuts a connection once `bytes` more of replies have passed in all, in the middle of a reply, and
   * every other at its next byte, until it is told `Infinity`.
   */
  cutAfter(bytes: number): void {
    this.#replyBudget = bytes;
  }

  /** Swallows each piece of a request for which `predicate` is true, from now on. */
  drop(predicate: (request: string) => boolean): void {
    this.rewrite((request) => predicate(request) ? "" : request);
  }

  /**
   * Passes on what `change` makes of each piece of a request, from now on; without it every byte as
   * it is, also those that are no text.
   */
  rewrite(change?: (request: string) => string): void {
    this.#rewrite = change;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    close(this.#listener); // closed already where it refuses
    this.release();
    this.cut();
    await Promise.all(this.#pumps);
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    for await (const client of listener) this.#track(this.#connect(client));
  }

  async #connect(client: Deno.TcpConn): Promise<void> {
    let server: Deno.TcpConn;
    try {
      server = await Deno.connect({ hostname: "127.0.0.1", port: this.target });
    } catch {
      return close(client);
    }
    this.#connections.add(client).add(server);
    await Promise.all([
      this.#pump(client, server, (bytes) => this.#request(bytes)),
      this.#pump(server, client, (bytes) => this.#reply(bytes)),
    ]);
    this.#connections.delete(client);
    this.#connections.delete(server);
  }

  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    pass: (bytes: Uint8Array) => Uint8Array,
  ): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const read = await from.read(buffer);
        if (read === null) break;
        await this.#held.promise;
        let bytes = pass(buffer.subarray(0, read));
        while (bytes.length > 0) bytes = bytes.subarray(await to.write(bytes));
        if (this.#replyBudget < 0) break;
      }
    } catch {
      // A cut ends the read or the write of the moment.
    }
    close(from);
    close(to);
  }

  #request(bytes: Uint8Array): Uint8Array {
    if (!this.#rewrite) return bytes;
    return new TextEncoder().encode(this.#rewrite(new TextDecoder().decode(bytes)));
  }

  #reply(bytes: Uint8Array): Uint8Array {
    const passed = bytes.subarray(0, Math.max(0, this.#replyBudget));
    this.#replyBudget -= bytes.length;
    return passed;
  }

  #track(pump: Promise<void>): void {
    this.#pumps.add(pump);
    pump.finally(() => this.#pumps.delete(pump));
  }
}

function close(resource: Deno.TcpConn | Deno.TcpListener): void {
  try {
    resource.close();
  } catch {
    // It is closed already.
  }
}
