import { CLOSE, type CloseReason } from "../core/close_codes.ts";
import type { Format } from "../core/event.ts";
import { offersV1 } from "../core/key.ts";
import { PIECE_SIZE } from "../core/link.ts";
import { type Refusal, REFUSED } from "../core/refusals.ts";
import type { Admission, Arrival, Connection, Gateway, Sink, Transport } from "./port.ts";
import { problem } from "./problem.ts";

/** How long a peer may say nothing before it is pinged at half and given up, in seconds. */
const IDLE_SECONDS = 30;
/** What a client says to hear a sign of life. */
const PING = "ping";

/**
 * WebSockets on the runtime's own server: `keywire.v1` where a client offers it, and the plain
 * protocol of the 2014 example else.
 */
export class WebSocketTransport implements Transport {
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
  }

  async handle(request: Request, { peer }: Arrival): Promise<Response> {
    const malformed = checkHandshake(request.headers);
    if (malformed !== undefined) return problem(malformed);
    const admission = await this.#gateway.admit(request, peer);
    if ("status" in admission) return problem(admission);
    const v1 = offersV1(request.headers);
    let socket: WebSocket, response: Response;
    try {
      ({ socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: IDLE_SECONDS }));
      // By hand, as the runtime does not find it in a list without spaces.
      if (v1) response.headers.set("Sec-WebSocket-Protocol", "keywire.v1");
    } catch {
      admission.release(); // The peer is gone, or its handshake passed our checks and not the runtime's.
      return problem(REFUSED.handshake);
    }
    new Socket(this.#gateway, admission, socket, v1 ? "v1" : "plain");
    return response;
  }
}

/**
 * A WebSocket: its own sink and its own listener, as there are many and each object counts. It keeps
 * an account of what it handed over, as the runtime's is slow to ask.
 */
class Socket implements Sink, EventListenerObject {
  readonly #gateway: Gateway;
  readonly #admission: Admission;
  readonly #socket: WebSocket;
  readonly #format: Format;
  #connection: Connection | undefined;
  /** What was handed over since the runtime was last asked, and what it held then. */
  #ahead = 0;

  constructor(gateway: Gateway, admission: Admission, socket: WebSocket, format: Format) {
    this.#gateway = gateway;
    this.#admission = admission;
    this.#socket = socket;
    this.#format = format;
    socket.addEventListener("open", this, { once: true });
    socket.addEventListener("message", this);
    socket.addEventListener("close", this); // after an `error`, too
  }

  get drainsItself(): boolean {
    return false;
  }

  get room(): number {
    if (this.#ahead > PIECE_SIZE / 2) this.#ahead = this.#socket.bufferedAmount;
    return PIECE_SIZE - this.#ahead;
  }

  get pending(): number {
    return this.#ahead = this.#socket.bufferedAmount;
  }

  send(text: string): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#ahead += text.length;
    this.#socket.send(text);
  }

  close({ code, reason }: CloseReason): void {
    try {
      this.#socket.close(code, reason);
    } catch {
      // It is closed already: there is nobody to tell.
    }
  }

  handleEvent(event: Event): void {
    if (event.type === "message") return this.#hear((event as MessageEvent).data);
    if (event.type === "open") {
      this.#connection = this.#gateway.open(this.#admission, this, this.#format);
      return;
    }
    this.#connection?.close(CLOSE.goingAway);
    this.#admission.release();
  }

  #hear(data: unknown): void {
    if (data === PING && this.#connection !== undefined) this.#gateway.pong(this.#connection);
    else this.#gateway.ignored();
  }
}

/** What is wrong with a WebSocket handshake (RFC 6455 §4.2.1), undefined when nothing is. */
function checkHandshake(headers: Headers): Refusal | undefined {
  const tokens = (headers.get("Connection") ?? "").toLowerCase().split(",").map((t) => t.trim());
  const key = headers.get("Sec-WebSocket-Key") ?? "";
  if (
    headers.get("Upgrade")?.toLowerCase() !== "websocket" || !tokens.includes("upgrade") ||
    !headers.get("Host") || !/^[A-Za-z0-9+/]{22}==$/.test(key)
  ) return REFUSED.handshake;
  return headers.get("Sec-WebSocket-Version") === "13" ? undefined : REFUSED.version;
}
