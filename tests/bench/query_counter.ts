/** A TCP proxy that counts the questions that pass to a MongoDB server. */

const HEADER_BYTES = 16;
const OP_MSG = 2013;
/** Where the first element of an OP_MSG's document begins: behind flags, kind and length. */
const FIRST_ELEMENT = HEADER_BYTES + 4 + 1 + 4;
const FIND = "find\0";

/** Forwards a port of 127.0.0.1 to the server, and counts its `find` commands. */
export class QueryCounter implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #accepting: Promise<void>;
  #queries = 0;

  constructor(server: { hostname: string; port: number }) {
    this.#accepting = this.#accept(server);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  get queries(): number {
    return this.#queries;
  }

  async #accept(server: Deno.ConnectOptions): Promise<void> {
    for await (const client of this.#listener) {
      const upstream = await Deno.connect(server);
      this.#connections.add(client).add(upstream);
      const counting = new TransformStream<Uint8Array, Uint8Array>(this.#counter());
      client.readable.pipeThrough(counting).pipeTo(upstream.writable).catch(() => {});
      upstream.readable.pipeTo(client.writable).catch(() => {});
    }
  }

  #counter(): Transformer<Uint8Array, Uint8Array> {
    let rest = new Uint8Array();
    return {
      transform: (chunk, controller) => {
        controller.enqueue(chunk);
        rest = new Uint8Array([...rest, ...chunk]);
        for (let size; (size = messageSize(rest)) > 0 && rest.length >= size;) {
          if (isFind(rest)) this.#queries++;
          rest = rest.slice(size);
        }
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const connection of this.#connections) {
      try {
        connection.close();
      } catch {
        // Its peer closed it before.
      }
    }
    await this.#accepting;
  }
}

function messageSize(bytes: Uint8Array): number {
  return bytes.length < HEADER_BYTES ? 0 : new DataView(bytes.buffer).getInt32(0, true);
}

function isFind(message: Uint8Array): boolean {
  const opcode = new DataView(message.buffer).getInt32(12, true);
  const name = message.subarray(FIRST_ELEMENT + 1, FIRST_ELEMENT + 1 + FIND.length);
  return opcode === OP_MSG && new TextDecoder().decode(name) === FIND;
}
