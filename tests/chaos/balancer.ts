/** What stands before the nodes: a TCP balancer that can break every connection in mid-frame. */

interface Pair {
  readonly client: Deno.TcpConn;
  readonly server: Deno.TcpConn;
  /** Whether it ends in the middle of the next piece that its node sends. */
  isDoomed: boolean;
}

/** Takes each connection of a free port of 127.0.0.1 to any one of several ports there. */
export class Balancer implements AsyncDisposable {
  readonly url: string;
  readonly #targets: readonly number[];
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #pairs = new Set<Pair>();
  readonly #running = new Set<Promise<void>>();

  /** @param targets the ports of the nodes; one that refuses is passed over */
  constructor(targets: readonly number[]) {
    this.#targets = targets;
    this.url = `http://127.0.0.1:${this.#listener.addr.port}`;
    this.#track(this.#accept());
  }

  /** Cuts every connection in the middle of the next frame, or response, that comes through it. */
  cutInFrames(): void {
    for (const pair of this.#pairs) pair.isDoomed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const pair of this.#pairs) closePair(pair);
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) this.#track(this.#connect(client));
  }

  async #connect(client: Deno.TcpConn): Promise<void> {
    const first = Math.floor(Math.random() * this.#targets.length);
    const targets = [...this.#targets.slice(first), ...this.#targets.slice(0, first)];
    for (const port of targets) {
      const server = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => undefined);
      if (server !== undefined) return await this.#pass({ client, server, isDoomed: false });
    }
    close(client);
  }

  async #pass(pair: Pair): Promise<void> {
    this.#pairs.add(pair);
    await Promise.all([
      pump(pair.client, pair.server, () => false),
      pump(pair.server, pair.client, () => pair.isDoomed),
    ]);
    this.#pairs.delete(pair);
  }

  #track(task: Promise<void>): void {
    this.#running.add(task);
    task.finally(() => this.#running.delete(task));
  }
}

async function pump(
  from: Deno.TcpConn,
  to: Deno.TcpConn,
  isLast: () => boolean,
): Promise<void> {
  const buffer = new Uint8Array(65_536);
  try {
    for (;;) {
      const read = await from.read(buffer);
      if (read === null) break;
      const last = isLast();
      let bytes = buffer.subarray(0, last ? Math.floor(Math.random() * read) : read);
      while (bytes.length > 0) bytes = bytes.subarray(await to.write(bytes));
      if (last) break;
    }
  } catch {
    // The other direction was cut.
  }
  closePair({ client: from, server: to });
}

function closePair({ client, server }: Pick<Pair, "client" | "server">): void {
  close(client);
  close(server);
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It is closed already.
  }
}
