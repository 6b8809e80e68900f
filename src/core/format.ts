/**
 * How events are written for one kind of client. A format is an object, so that a transport chooses
 * one and nothing else asks which one it is.
 */
import { formatCursor, type Position } from "./position.ts";

/** One kind of client's way to write events. A method returns "" where it has no such event. */
export interface Format {
  /** Its name, for metrics. */
  readonly name: "plain" | "v1" | "sse";
  /** The index of this format's text where texts are kept by format. */
  readonly slot: number;
  /** Whether several events may be sent in one write. */
  readonly batches: boolean;
  /** What stands between two events of one write. */
  readonly separator: string;
  /** Whether clients learn cursors, and resume by them. */
  readonly resumes: boolean;
  /** A message, for a client that has reached `position` with it. */
  message(body: string, position: Position): string;
  /** The first event; `recovered` is undefined for a client that brought no cursor. */
  welcome(position: Position, recovered?: boolean): string;
  /** Messages may have been lost just before `position`. */
  gap(position: Position): string;
  /** The answer to a client's `ping`. */
  pong(position: Position): string;
  /** Keeps the position of a quiet client fresh. */
  heartbeat(position: Position): string;
  /** The node goes away: close, and come back after `retryMs` milliseconds. */
  reconnect(position: Position, retryMs: number): string;
}

const nothing = () => "";

/** The protocol of the 2014 example: a frame, or a response, holds one message. */
export const PLAIN: Format = {
  name: "plain",
  slot: 0,
  batches: false,
  separator: "",
  resumes: false,
  message: (body) => body,
  welcome: nothing,
  gap: nothing,
  pong: () => "heartbeat message",
  heartbeat: nothing,
  reconnect: nothing,
};

/** `keywire.v1`: a frame holds lines, each a JSON object with a `type`. */
export const V1: Format = {
  name: "v1",
  slot: 1,
  batches: true,
  separator: "\n",
  resumes: true,
  message: (body, position) =>
    `{"type":"message","cursor":"${formatCursor(position)}","message":${body}}`,
  welcome: (position, recovered) =>
    `{"type":"welcome","cursor":"${formatCursor(position)}"${
      recovered === undefined ? "" : `,"recovered":${recovered}`
    }}`,
  gap: (position) => `{"type":"gap","cursor":"${formatCursor(position)}"}`,
  pong: (position) => `{"type":"pong","cursor":"${formatCursor(position)}"}`,
  heartbeat: nothing,
  reconnect: (position, retryMs) =>
    `{"type":"reconnect","cursor":"${formatCursor(position)}","retryMs":${retryMs}}`,
};

/** Server-sent events (WHATWG HTML §9.2): blocks, each of which brings its own end. */
export const SSE: Format = {
  name: "sse",
  slot: 2,
  batches: true,
  separator: "",
  resumes: true,
  message: (body, position) => `id: ${formatCursor(position)}\ndata: ${body}\n\n`,
  welcome: (position, recovered) =>
    `event: welcome\nid: ${formatCursor(position)}\ndata: {${
      recovered === undefined ? "" : `"recovered":${recovered}`
    }}\n\n`,
  gap: (position) => `event: gap\nid: ${formatCursor(position)}\ndata: {}\n\n`,
  pong: nothing,
  heartbeat: (position) => `id: ${formatCursor(position)}\n\n`,
  reconnect: (_position, retryMs) => `retry: ${retryMs}\n\n`,
};
