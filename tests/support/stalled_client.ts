/** What a client found when it read on. */
export interface ReadOn {
  /** How much there was, in bytes. */
  readonly bytes: number;
  /** The code of the WebSocket close frame, where one came. */
  readonly code: number | undefined;
}

/** A whole frame as a client has it, masked with zeros (RFC 6455 §5.2); at most 125 bytes of payload. */
export function clientFrame(opcode: number, payload: string | Uint8Array): Uint8Array {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  return new Uint8Array([0x80 | opcode, 0x80 | bytes.length, 0, 0, 0, 0, ...bytes]);
}

/**
 * A client on a TCP connection of its own, which is let in and then reads nothing: what it is sent
 * piles up in the kernel's buffers, and then at the sender.
 */
export class StalledClient implements Disposable {
  readonly #connection: Deno.TcpConn;
  #rest: Uint8Array;
  #closed = false;

  private constructor(connection: Deno.TcpConn, rest: Uint8Array) {
    this.#connection = connection;
    this.#rest = rest;
  }

  /**
   * Connects by WebSocket, or by an event stream.
   * @throws with the head of the answer, when it is refused
   */
  static async open(
    port: number,
    key: string,
    { sse = false, v1 = false, headers = {} }: {
      sse?: boolean;
      v1?: boolean;
      headers?: Record<string, string>;
    } = {},
  ): Promise<StalledClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const lines = sse ? [`GET /events?${key} HTTP/1.1`] : [
      `GET /websocket?${key} HTTP/1.1`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
      ...v1 ? ["Sec-WebSocket-Protocol: keywire.v1"] : [],
    ];
    for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
    const request = [...lines, `Host: 127.0.0.1:${port}`, "", ""].join("\r\n");
    await connection.write(new TextEncoder().encode(request));
    const { head, rest } = await readHead(connection);
    if (!head.startsWith(sse ? "HTTP/1.1 200" : "HTTP/1.1 101")) {
      connection.close();
      throw new Error(`the client was refused: ${head}`);
    }
    return new StalledClient(connection, rest);
  }

  /** The TCP port of its own end. */
  get localPort(): number {
    return (this.#connection.localAddr as Deno.NetAddr).port;
  }

  /** Sends bytes as they are, all of them. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  /** Reads a WebSocket to its end. */
  async readOn(): Promise<ReadOn> {
    const buffer = new Uint8Array(1 << 20);
    let bytes = 0;
    let code: number | undefined;
    for (;;) {
      for (let frame; code === undefined && (frame = cutFrame(this.#rest)) !== undefined;) {
        this.#rest = this.#rest.subarray(frame.end);
        if (frame.opcode === 8) code = frame.payload[0]! << 8 | frame.payload[1]!;
      }
      if (code !== undefined) return { bytes, code };
      const read = await this.#connection.read(buffer).catch(() => null);
      if (read === null) return { bytes, code };
      bytes += read;
      this.#rest = concat(this.#rest, buffer.subarray(0, read));
    }
  }

  /** Goes away without a word. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
  }
}

async function readHead(
  connection: Deno.TcpConn,
): Promise<{ head: string; rest: Uint8Array }> {
  const buffer = new Uint8Array(4096);
  let all = new Uint8Array();
  for (;;) {
    const head = new TextDecoder("latin1").decode(all);
    const end = head.indexOf("\r\n\r\n");
    if (end >= 0) return { head: head.slice(0, end), rest: all.subarray(end + 4) };
    const read = await connection.read(buffer);
    if (read === null) return { head, rest: new Uint8Array() };
    all = concat(all, buffer.subarray(0, read));
  }
}

/** The first frame of `bytes` (RFC 6455 §5.2; a server masks nothing), undefined when it is not whole. */
function cutFrame(
  bytes: Uint8Array,
): { opcode: number; payload: Uint8Array; end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const short = bytes[1]! & 127;
  const start = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (bytes.length < start) return undefined;
  const length = short === 127
    ? Number(view.getBigUint64(2))
    : short === 126
    ? view.getUint16(2)
    : short;
  const end = start + length;
  if (bytes.length < end) return undefined;
  return { opcode: bytes[0]! & 15, payload: bytes.subarray(start, end), end };
}

function concat(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
