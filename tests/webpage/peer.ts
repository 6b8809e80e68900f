import { waitFor } from "../support/wait.ts";

/** One request of a client: a WebSocket that it dials, or an event stream that it asks for. */
export interface Visit {
  readonly transport: "websocket" | "sse";
  readonly url: URL;
  readonly key: string;
  readonly after: string | undefined;
  readonly accept: string | null;
  readonly at: number;
}

/** The server's end of an open connection. */
export interface Line extends Visit {
  /** What the client said. */
  readonly heard: string[];
  /** Sends events, all in one frame or chunk. */
  say(...events: Said[]): void;
  /** Sends a text as it is. */
  raw(text: string): void;
  /** Ends the connection in an orderly way. */
  end(code?: number): void;
  /** Waits until the connection is over. */
  over(): Promise<unknown>;
}

/** An event of `keywire.v1`. */
export type Said = { readonly type: string; readonly [member: string]: unknown };

/**
 * A server that speaks Keywire's protocols as a test tells it to: the other end of real sockets, with
 * every fault that a gateway, or something before it, can show.
 */
export class Peer implements AsyncDisposable {
  /** Every request so far. */
  readonly visits: Visit[] = [];
  /** Answers a visit in another way than by accepting it. */
  refuse: (visit: Visit) => Response | undefined | Promise<Response> = () => undefined;
  /** What a client is welcomed with; undefined: it is not. */
  welcome: (visit: Visit) => Said | undefined = ({ after }) => ({
    type: "welcome",
    cursor: "start",
    ...(after === undefined ? {} : { recovered: true }),
  });
  /** Whether a `ping` is answered. */
  answers = true;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #stop = new AbortController();
  readonly #lines: Line[] = [];

  constructor(port = 0) {
    const { signal } = this.#stop;
    const options = { hostname: "127.0.0.1", port, signal, onListen: () => {} };
    this.#server = Deno.serve(options, (request) => this.#handle(request));
  }

  get port(): number {
    return this.#server.addr.port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`;
  }

  /** The next connection that was accepted. */
  line(): Promise<Line> {
    return waitFor("a connection", () => this.#lines.shift());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#server.finished;
  }

  async #handle(request: Request): Promise<Response> {
    const { headers } = request;
    const url = new URL(request.url);
    const offers = headers.get("sec-websocket-protocol")?.split(", ");
    const bearer = headers.get("authorization")?.replace("Bearer ", "") ?? "";
    const visit: Visit = {
      transport: url.pathname.endsWith("/websocket") ? "websocket" : "sse",
      url,
      key: utf8(offers ? atob(unpadded(offers)) : bearer),
      after: headers.get("last-event-id") ?? url.searchParams.get("after") ?? undefined,
      accept: headers.get("accept"),
      at: performance.now(),
    };
    this.visits.push(visit);
    const refusal = await this.refuse(visit);
    if (refusal !== undefined) return refusal;
    return visit.transport === "sse" ? this.#stream(visit) : this.#upgrade(visit, request);
  }

  #upgrade(visit: Visit, request: Request): Response {
    const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "keywire.v1" });
    const heard: string[] = [];
    const line: Line = {
      ...visit,
      heard,
      say: (...events) => socket.send(events.map((event) => JSON.stringify(event)).join("\n")),
      raw: (text) => socket.send(text),
      end: (code) => socket.close(code),
      over: () => waitFor("the socket's end", () => socket.readyState === WebSocket.CLOSED),
    };
    socket.onopen = () => {
      const welcome = this.welcome(visit);
      if (welcome !== undefined) line.say(welcome);
      this.#lines.push(line);
    };
    socket.onmessage = ({ data }) => {
      heard.push(data);
      if (this.answers) line.say({ type: "pong" });
    };
    socket.onerror = () => {};
    return response;
  }

  #stream(visit: Visit): Response {
    const encoder = new TextEncoder();
    let over = false;
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (it) => {
        controller = it;
      },
      cancel: () => {
        over = true;
      },
    });
    const line: Line = {
      ...visit,
      heard: [],
      say: (...events) => line.raw(events.map(block).join("")),
      raw: (text) => controller.enqueue(encoder.encode(text)),
      end: () => controller.close(),
      over: () => waitFor("the stream's end", () => over),
    };
    const welcome = this.welcome(visit);
    if (welcome !== undefined) line.say(welcome);
    this.#lines.push(line);
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  }
}

/** An event as a block of an event stream. */
function block({ type, cursor, message, ...members }: Said): string {
  const id = cursor === undefined ? "" : `id: ${cursor}\n`;
  if (type === "message") return `${id}data: ${JSON.stringify(message)}\n\n`;
  return `event: ${type}\n${id}data: ${JSON.stringify(members)}\n\n`;
}

function unpadded(offers: string[]): string {
  const key = offers.find((offer) => offer.startsWith("key.")) ?? "";
  return key.slice("key.".length).replaceAll("-", "+").replaceAll("_", "/");
}

function utf8(binary: string): string {
  return new TextDecoder().decode(Uint8Array.from(binary, (unit) => unit.charCodeAt(0)));
}
