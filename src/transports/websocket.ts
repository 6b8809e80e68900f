import { CLOSE, type CloseReason } from "../core/close_codes.ts";
import { type Format, PLAIN, V1 } from "../core/format.ts";
import { offersV1 } from "../http/credentials.ts";
import { AHEAD_BYTES } from "../core/delivery/batch.ts";
import { type Refusal, REFUSED } from "../http/refusals.ts";
import type {
  AdmittedClient,
  Connection,
  Connector,
  RequestInfo,
  Sink,
  Transport,
} from "./port.ts";
import { problem } from "../http/problem.ts";

/** How long a peer may say nothing before it is pinged at half and given up, in seconds. */
const IDLE_SECONDS = 30;
/** What a client says to hear a sign of life. */
const PING = "ping";
/** The longest text that a client may send, in UTF-16 units or bytes. */
const MAX_TEXT = 4_096;
/** How many texts a client may send a second, and at once. */
const TEXTS_PER_SECOND = 100;
const TEXTS_AT_ONCE = 1_000;
/** Such a client is closed when it has said nothing for so long, in milliseconds, */
const QUIET_MS = 20;
/** or when it has sent so many more, as those cost the event loop too much. */
const MAX_TEXTS_MORE = 10_000;

/**
 * WebSockets on the runtime's own server: `keywire.v1` where a client offers it, and the plain
 * protocol of the 2014 example else.
 */
export class WebSocketTransport implements Transport {
  readonly #connector: Connector;

  constructor(connector: Connector) {
    this.#connector = connector;
  }

  async handle(request: Request, { peer }: RequestInfo): Promise<Response> {
    const malformed = checkHandshake(request);
    if (malformed !== undefined) return problem(this.#connector.refuse(malformed));
    const client = await this.#connector.admit(request, peer);
    if ("status" in client) return problem(client);
    const v1 = offersV1(request.headers);
    let socket: WebSocket, response: Response;
    try {
      ({ socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: IDLE_SECONDS }));
      // By hand, as the runtime does not find it in a list without spaces.
      if (v1) response.headers.set("Sec-WebSocket-Protocol", "keywire.v1");
    } catch {
      // The peer is gone, or its handshake passed our checks and not the runtime's.
      this.#connector.onPeerGone(client);
      return problem(this.#connector.refuse(REFUSED.handshake));
    }
    new Socket(this.#connector, client, socket, v1 ? V1 : PLAIN);
    return response;
  }
}

/**
 * A WebSocket: its own sink and its own listener, as there are many and each object counts. It keeps
 * an account of what it handed over, as the runtime's is slow to ask.
 */
class Socket implements Sink, EventListenerObject {
  readonly #connector: Connector;
  readonly #client: AdmittedClient;
  readonly #socket: WebSocket;
  readonly #format: Format;
  #connection: Connection | undefined;
  /** How many texts came after the end. */
  #textsMore = 0;
  /** When all the texts that it has sent are paid for, in milliseconds. */
  #paidUntil = 0;
  /** What was handed over since the runtime was last asked, and what it held then. */
  #ahead = 0;

  constructor(connector: Connector, client: AdmittedClient, socket: WebSocket, format: Format) {
    this.#connector = connector;
    this.#client = client;
    this.#socket = socket;
    this.#format = format;
    socket.addEventListener("open", this, { once: true });
    socket.addEventListener("message", this);
    socket.addEventListener("close", this); // after an `error`, too
  }

  get signalsDrain(): boolean {
    return false;
  }

  get capacity(): number {
    if (this.#ahead > AHEAD_BYTES / 2) this.#ahead = this.#socket.bufferedAmount;
    return AHEAD_BYTES - this.#ahead;
  }

  get bufferedBytes(): number {
    return this.#ahead = this.#socket.bufferedAmount;
  }

  send(text: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#ahead += text.length;
    this.#socket.send(text);
  }

  close(reason: CloseReason): void {
    // What the client has sent and is not read yet would make its system discard the close frame.
    if (reason === CLOSE.tooManyTexts) this.#endWhenQuiet(reason);
    else this.#end(reason);
  }

  #endWhenQuiet(reason: CloseReason): void {
    const unread = this.#textsMore;
    setTimeout(() => {
      if (this.#textsMore === unread || unread > MAX_TEXTS_MORE) this.#end(reason);
      else this.#endWhenQuiet(reason);
    }, QUIET_MS);
  }

  #end({ code, reason }: CloseReason): void {
    try {
      this.#socket.close(code, reason);
    } catch {
      // It is closed already.
    }
  }

  handleEvent(event: Event): void {
    if (event.type === "message") return this.#hear((event as MessageEvent).data);
    if (event.type === "open") {
      this.#connection = this.#connector.open(this.#client, this, this.#format);
      return;
    }
    this.#connector.onPeerGone(this.#client);
  }

  #hear(data: unknown): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    if (connection.ended) {
      if (++this.#textsMore === MAX_TEXTS_MORE) this.#end(CLOSE.tooManyTexts);
      return;
    }
    if (sizeOf(data) > MAX_TEXT) return connection.close(CLOSE.tooLarge);
    if (!this.#mayTalk(performance.now())) return connection.close(CLOSE.tooManyTexts);
    if (data === PING) this.#connector.onPing(connection);
    else this.#connector.onIgnoredText();
  }

  /** Each text costs its share of a second, of which a client may be ahead by some. */
  #mayTalk(now: number): boolean {
    const cost = 1_000 / TEXTS_PER_SECOND;
    this.#paidUntil = Math.max(this.#paidUntil, now) + cost;
    return this.#paidUntil - now <= cost * TEXTS_AT_ONCE;
  }
}

function sizeOf(data: unknown): number {
  if (typeof data === "string") return data.length;
  return data instanceof Blob ? data.size : (data as ArrayBuffer).byteLength;
}

/** The entries of a header that is a list, in lower case. */
function listOf(headers: Headers, name: string): string[] {
  return (headers.get(name) ?? "").toLowerCase().split(",").map((entry) => entry.trim());
}

/** What is wrong with a WebSocket handshake (RFC 6455 §4.2.1), undefined when nothing is. */
function checkHandshake({ method, headers }: Request): Refusal | undefined {
  const key = headers.get("Sec-WebSocket-Key") ?? "";
  if (
    method !== "GET" || !listOf(headers, "Upgrade").includes("websocket") ||
    !listOf(headers, "Connection").includes("upgrade") ||
    !headers.get("Host") || !/^[A-Za-z0-9+/]{22}==$/.test(key)
  ) return REFUSED.handshake;
  return headers.get("Sec-WebSocket-Version") === "13" ? undefined : REFUSED.version;
}
