/**
 * What a client can be told. An event is written down once in each format, however many clients get
 * it, and its text is made when the first of them needs it.
 */
import { formatCursor, type Position } from "./position.ts";

/** How a transport writes events: a frame each, lines of JSON, or blocks of an event stream. */
export type Format = "plain" | "v1" | "sse";

/** One event, the same for every connection that is told it. */
export interface Event {
  /** The event's text in `format`, empty where that format has no such event. */
  text(format: Format): string;
  /** What it counts for, in UTF-16 units: about its size on the wire. */
  readonly size: number;
}

/** A message on its way to clients, and the position that a client has reached with it. */
export class MessageEvent implements Event {
  readonly body: string;
  readonly position: Position;
  #v1: string | undefined;
  #sse: string | undefined;

  constructor(body: string, position: Position) {
    this.body = body;
    this.position = position;
  }

  get size(): number {
    return this.body.length;
  }

  text(format: Format): string {
    if (format === "plain") return this.body;
    if (format === "v1") return this.#v1 ??= messageLine(this.body, this.position);
    return this.#sse ??= messageBlock(this.body, this.position);
  }
}

/** A message's line of `keywire.v1`, for a client that has reached `position` with it. */
function messageLine(body: string, position: Position): string {
  return `{"type":"message","cursor":"${formatCursor(position)}","message":${body}}`;
}

/** A message's block of an event stream, for a client that has reached `position` with it. */
function messageBlock(body: string, position: Position): string {
  return `id: ${formatCursor(position)}\ndata: ${body}\n\n`;
}

/** An event that is no message: its line and its block, either empty where it has none. */
export class ControlEvent implements Event {
  readonly #texts: Record<Format, string>;

  constructor(texts: Partial<Record<Format, string>>) {
    this.#texts = { plain: "", v1: "", sse: "", ...texts };
  }

  get size(): number {
    return this.#texts.v1.length;
  }

  text(format: Format): string {
    return this.#texts[format];
  }
}

/** What a client is told first; `recovered` only where it brought a cursor. */
export function welcomeEvent(position: Position, recovered?: boolean): ControlEvent {
  const cursor = formatCursor(position);
  const told = recovered === undefined ? "" : `"recovered":${recovered}`;
  return new ControlEvent({
    v1: `{"type":"welcome","cursor":"${cursor}"${told && `,${told}`}}`,
    sse: `event: welcome\nid: ${cursor}\ndata: {${told}}\n\n`,
  });
}

/** Messages may have been lost just before `position`. */
export function gapEvent(position: Position): ControlEvent {
  const cursor = formatCursor(position);
  return new ControlEvent({
    v1: `{"type":"gap","cursor":"${cursor}"}`,
    sse: `event: gap\nid: ${cursor}\ndata: {}\n\n`,
  });
}

/** The answer to a client's `ping`, which keeps its position fresh. */
export function pongEvent(position: Position): ControlEvent {
  return new ControlEvent({
    plain: "heartbeat message",
    v1: `{"type":"pong","cursor":"${formatCursor(position)}"}`,
  });
}

/** Keeps the position of a quiet stream fresh; a block without data fires no event. */
export function heartbeatEvent(position: Position): ControlEvent {
  return new ControlEvent({ sse: `id: ${formatCursor(position)}\n\n` });
}

/** The node goes away: close, and come back after `retryMs` milliseconds. */
export function reconnectEvent(position: Position, retryMs: number): ControlEvent {
  return new ControlEvent({
    v1: `{"type":"reconnect","cursor":"${formatCursor(position)}","retryMs":${retryMs}}`,
    sse: `retry: ${retryMs}\n\n`,
  });
}
