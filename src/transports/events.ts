import { CLOSE, type CloseReason } from "../core/close_codes.ts";
import { AHEAD_BYTES } from "../core/delivery/batch.ts";
import { SSE } from "../core/format.ts";
import type { Connection, Connector, RequestInfo, Sink, Transport } from "./port.ts";
import { problem } from "../http/problem.ts";
import { type Refusal, REFUSED } from "../http/refusals.ts";

/** A stream was cut because its client does not read: the runtime frees what it holds for it. */
export class StreamCut extends Error {
  override name = "StreamCut";
}

/** Server-sent events (WHATWG HTML §9.2): one response that never ends. */
export class EventsTransport implements Transport {
  readonly #connector: Connector;

  constructor(connector: Connector) {
    this.#connector = connector;
  }

  async handle(request: Request, info: RequestInfo): Promise<Response> {
    // A HEAD request asks whether a stream is there: its client is not present.
    if (request.method !== "GET" && request.method !== "POST") {
      return problem(this.#connector.refuse(REFUSED.method));
    }
    const client = await this.#connector.admit(request, info.peer);
    if ("status" in client) return refuseStream(request, client);
    const sink = new EventsSink({
      pulled: () => connection.drain(),
      gone: () => connection.close(CLOSE.goingAway),
    });
    const connection: Connection = this.#connector.open(client, sink, SSE);
    // A stream that was cut is held until its peer takes what the runtime has, or goes.
    const gone = () => this.#connector.onPeerGone(client);
    info.completed().then(gone, gone);
    return streamResponse(sink.stream);
  }
}

function streamResponse(body: BodyInit): Response {
  return new Response(body, {
    headers: {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store, no-transform",
      "X-Accel-Buffering": "no", // nginx would hold events back otherwise
    },
  });
}

/**
 * Refuses a stream. A browser's EventSource gives up for ever at any status but 200, so a refusal
 * that will pass is a stream that says when to come back, and ends; it has one line break, as a blank
 * line would be an empty message to some clients. A client that can read a problem gets the problem.
 */
function refuseStream(request: Request, refusal: Refusal): Response {
  const { retryAfter } = refusal;
  const accepted = (request.headers.get("Accept") ?? "").toLowerCase();
  const isNative = accepted.includes("text/event-stream") &&
    !accepted.includes("application/problem+json");
  if (!isNative || retryAfter === undefined) return problem(refusal);
  const retryMs = Math.round(1_000 * retryAfter * (1 + Math.random()));
  return streamResponse(`retry: ${retryMs}\n`);
}

/**
 * A response body as a sink. The runtime pulls when it has written what it had, so nothing piles up in
 * it: a chunk is handed over when it asks for one.
 */
class EventsSink implements Sink {
  readonly signalsDrain = true;
  readonly stream: ReadableStream<Uint8Array>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  #wanted = false;
  #pending = 0;
  #over = false;

  constructor({ pulled, gone }: { pulled: () => void; gone: () => void }) {
    this.stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => {
        this.#wanted = true;
        this.#pending = 0;
        pulled();
      },
      cancel: () => {
        this.#over = true;
        gone();
      },
    }, { highWaterMark: 0 });
  }

  get capacity(): number {
    return this.#wanted ? AHEAD_BYTES : 0;
  }

  get bufferedBytes(): number {
    return this.#pending;
  }

  send(text: string): void {
    if (this.#over) return;
    this.#wanted = false;
    const bytes = encode(text);
    this.#pending = bytes.length;
    this.#controller.enqueue(bytes);
  }

  close({ code }: CloseReason): void {
    if (this.#over) return;
    this.#over = true;
    // The client comes back by itself, and learns by the status whether it still may.
    if (code === CLOSE.tooSlow.code) this.#controller.error(new StreamCut());
    else this.#controller.close();
  }
}

const encoder = new TextEncoder();
let lastText = "";
let lastBytes = new Uint8Array();

/** The bytes of `text`, made once for all the connections that are owed the same. */
function encode(text: string): Uint8Array {
  if (text !== lastText) {
    lastText = text;
    lastBytes = encoder.encode(text);
  }
  return lastBytes;
}
