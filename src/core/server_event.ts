/**
 * What a client can be told. An event is written once in each format, however many clients get it,
 * and its text is made when the first of them needs it.
 */
import type { Format, WelcomeOptions } from "./format.ts";
import type { Position, Source } from "./position.ts";

/** One event, the same for every connection that is told it. */
export interface ServerEvent {
  /** The event's text in `format`, empty where that format has no such event. */
  text(format: Format): string;
  /** What it counts for, in bytes: about its size on the wire. */
  readonly size: number;
}

/** A message on its way to clients, and the position that a client reaches with it. */
export class ServerMessage implements ServerEvent {
  readonly body: string;
  readonly position: Position;
  readonly size: number;
  #v1: string | undefined;
  #sse: string | undefined;

  constructor(body: string, position: Position) {
    this.body = body;
    this.position = position;
    this.size = utf8Length(body);
  }

  text(format: Format): string {
    // One message is made for each envelope: two fields cost less than a list of texts.
    if (format.slot === 1) return this.#v1 ??= format.message(this.body, this.position);
    if (format.slot === 2) return this.#sse ??= format.message(this.body, this.position);
    return format.message(this.body, this.position);
  }
}

/** What a control event counts for, in bytes. */
const CONTROL_SIZE = 100;

/** An event that is not a message. */
export class ControlEvent implements ServerEvent {
  readonly size = CONTROL_SIZE;
  readonly #write: (format: Format) => string;
  readonly #texts: (string | undefined)[] = [];

  /** @param write writes it in a format; called once a format */
  constructor(write: (format: Format) => string) {
    this.#write = write;
  }

  text(format: Format): string {
    return this.#texts[format.slot] ??= this.#write(format);
  }
}

/** What a client is told first; `recovery` only where it brought a cursor. */
export function welcomeEvent(position: Position, options: WelcomeOptions): ControlEvent {
  return new ControlEvent((format) => format.welcome(position, options));
}

/** Messages of `source` may have been lost just before `position`. */
export function gapEvent(position: Position, source: Source): ControlEvent {
  return new ControlEvent((format) => format.gap(position, source));
}

/** The answer to a client's `ping`, which keeps its position fresh. */
export function pongEvent(position: Position): ControlEvent {
  return new ControlEvent((format) => format.pong(position));
}

/** Keeps the position of a quiet stream fresh. */
export function heartbeatEvent(position: Position): ControlEvent {
  return new ControlEvent((format) => format.heartbeat(position));
}

/** The node goes away: close, and come back after `retryMs` milliseconds. */
export function reconnectEvent(position: Position, retryMs: number): ControlEvent {
  return new ControlEvent((format) => format.reconnect(position, retryMs));
}

/** How many bytes a well-formed text takes in UTF-8. */
function utf8Length(text: string): number {
  if (!/[^\t -~]/.test(text)) return text.length; // nearly always
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Each half of a pair of surrogates stands for two of its four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
