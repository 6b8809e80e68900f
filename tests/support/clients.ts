import { waitFor } from "./wait.ts";

/** A WebSocket that keeps what it hears. */
export interface SocketClient extends Disposable {
  readonly socket: WebSocket;
  /** Every text frame, in order. */
  readonly frames: string[];
  /** The events of `keywire.v1`, in order. */
  readonly events: Record<string, unknown>[];
  /** How it ended, once it has. */
  readonly closed: Promise<CloseEvent>;
}

export interface SocketOptions {
  /** Offer `keywire.v1`. */
  readonly v1?: boolean;
  /** The cursor to resume from. */
  readonly after?: string;
}

/**
 * Opens a WebSocket with `key` in its query. Its handshake alone does not say that the gateway has it in
 * its hub and its figures: the answer to a `ping` does, which is not kept, and so does a welcome.
 * @throws when it is refused
 */
export async function openSocket(
  url: string,
  key: string,
  { v1 = false, after }: SocketOptions = {},
): Promise<SocketClient> {
  const query = encodeURIComponent(key) +
    (after === undefined ? "" : `&after=${encodeURIComponent(after)}`);
  const socket = new WebSocket(
    `${url.replace("http", "ws")}/websocket?${query}`,
    v1 ? ["keywire.v1"] : [],
  );
  const frames: string[] = [];
  const events: Record<string, unknown>[] = [];
  const { promise: attached, resolve: attach } = Promise.withResolvers<void>();
  let isAttached = false;
  socket.onmessage = ({ data }) => {
    const isAnswer = !v1 && !isAttached && data === "heartbeat message";
    if (isAnswer || v1) attach();
    isAttached ||= isAnswer;
    if (isAnswer) return;
    frames.push(data);
    if (v1) events.push(...data.split("\n").map((line: string) => JSON.parse(line)));
  };
  const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("the socket was refused"));
  });
  socket.onerror = () => {};
  if (!v1) socket.send("ping");
  // Who resumes may have to wait for its welcome, and a test for something else.
  if (after === undefined) await Promise.race([attached, closed]);
  return { socket, frames, events, closed, [Symbol.dispose]: () => socket.close() };
}

/** A stream of server-sent events that keeps what it hears. */
export interface EventsClient extends Disposable {
  /** Every block, in order, as text without its blank line. */
  readonly blocks: string[];
  /** The data of the blocks that fire an event named `message`. */
  readonly messages: string[];
  /** What came behind the last blank line. */
  readonly rest: string;
  /** Resolves when the stream has ended, with the error if it was one. */
  readonly ended: Promise<unknown>;
}

/**
 * Opens `/events` with `key` in a header.
 * @throws when it is refused, with the status
 */
export async function openEvents(
  url: string,
  key: string,
  { lastEventId, after }: { lastEventId?: string; after?: string } = {},
): Promise<EventsClient> {
  const abort = new AbortController();
  const response = await fetch(
    `${url}/events${after === undefined ? "" : `?after=${encodeURIComponent(after)}`}`,
    {
      headers: {
        Authorization: `Bearer ${key}`,
        ...(lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId }),
      },
      signal: abort.signal,
    },
  );
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the stream was refused with ${response.status}`);
  }
  const blocks: string[] = [];
  const messages: string[] = [];
  let rest = "";
  const ended = (async () => {
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\n\n");
      rest = parts.pop()!;
      for (const block of parts) {
        blocks.push(block);
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined && !/^event: /m.test(block)) messages.push(data);
      }
    }
  })().catch((error) => error);
  return {
    blocks,
    messages,
    ended,
    get rest() {
      return rest;
    },
    [Symbol.dispose]: () => abort.abort(),
  };
}

/** Publishes an envelope through the API, as text or as a value. */
export async function publish(url: string, envelope: unknown): Promise<Response> {
  return await fetch(`${url}/api/publish`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: typeof envelope === "string" ? envelope : JSON.stringify(envelope),
  });
}

/** Waits until `list` has `count` items, and returns them. */
export async function items<T>(list: readonly T[], count: number): Promise<readonly T[]> {
  await waitFor(() => `${count} items, there are ${list.length}`, () => list.length >= count);
  return list;
}

/** The answer to a WebSocket handshake written by hand: its status, headers and body. */
export async function handshake(
  port: number,
  path: string,
  headers: Record<string, string> = {},
  method = "GET",
): Promise<{ status: number; text: string }> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(handshakeBytes(port, path, headers, method));
  const buffer = new Uint8Array(65_536);
  let text = "";
  const decoder = new TextDecoder();
  while (!text.includes("\r\n\r\n")) {
    const read = await connection.read(buffer);
    if (read === null) break;
    text += decoder.decode(buffer.subarray(0, read), { stream: true });
  }
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]), text };
}

/** Sends a WebSocket handshake and goes away after `ms` milliseconds, answered or not. */
export async function abortHandshake(port: number, path: string, ms: number): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(handshakeBytes(port, path, {}, "GET"));
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

function handshakeBytes(
  port: number,
  path: string,
  headers: Record<string, string>,
  method: string,
): Uint8Array {
  const all: Record<string, string> = {
    Host: `127.0.0.1:${port}`,
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== "").map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  return new TextEncoder().encode(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
}
