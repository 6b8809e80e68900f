/**
 * How events are written for one kind of client. A format is an object, so that a transport chooses
 * one and nothing else asks which one it is.
 */
import { formatCursor, type Position, type Source } from "./position.ts";

/** What a client that brought a cursor is told of its resumption. */
export interface Recovery {
  /** The sources whose messages may have been lost since; none where nothing was lost. */
  readonly lost: readonly Source[];
}

/** What `welcome` tells besides the position. */
export interface WelcomeOptions {
  /** Undefined for a client that brought no cursor. */
  readonly recovery?: Recovery | undefined;
  /** How long the client of an event stream waits before it comes back, in milliseconds. */
  readonly retryMs: number;
}

/** One kind of client's way to write events. A method returns "" where it has no such event. */
export interface Format {
  /** Its name, for metrics. */
  readonly name: "plain" | "polling" | "v1" | "sse";
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
  /** The first event. */
  welcome(position: Position, options: WelcomeOptions): string;
  /** Messages of `source` may have been lost just before `position`. */
  gap(position: Position, source: Source): string;
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

/** The same in responses to polls, which metrics tell apart. */
export const POLLING: Format = { ...PLAIN, name: "polling" };

/** `keywire.v1`: a frame holds lines, each a JSON object with a `type`. */
export const V1: Format = {
  name: "v1",
  slot: 1,
  batches: true,
  separator: "\n",
  resumes: true,
  message: (body, position) =>
    `{"type":"message","cursor":"${formatCursor(position)}","message":${body}}`,
  welcome: (position, { recovery }) => {
    const recovered = recoveredMembers(recovery);
    return `{"type":"welcome","cursor":"${formatCursor(position)}"${recovered && `,${recovered}`}}`;
  },
  gap: (position, source) =>
    `{"type":"gap","cursor":"${formatCursor(position)}","source":"${source}"}`,
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
  // A client keeps the last `retry` that it was told, so each welcome takes that of a drain back.
  welcome: (position, { recovery, retryMs }) =>
    `retry: ${retryMs}\nevent: welcome\nid: ${formatCursor(position)}\ndata: {${
      recoveredMembers(recovery)
    }}\n\n`,
  gap: (position, source) =>
    `event: gap\nid: ${formatCursor(position)}\ndata: {"source":"${source}"}\n\n`,
  pong: nothing,
  // A block without data, or without a name, is an empty message to several popular clients.
  heartbeat: (position) => `event: heartbeat\nid: ${formatCursor(position)}\ndata: {}\n\n`,
  // One line break: a blank line would be an empty message to some clients.
  reconnect: (_position, retryMs) => `retry: ${retryMs}\n`,
};

function recoveredMembers(recovery: Recovery | undefined): string {
  if (recovery === undefined) return "";
  const { lost } = recovery;
  return lost.length === 0
    ? `"recovered":true`
    : `"recovered":false,"lost":${JSON.stringify(lost)}`;
}

/** Every format. */
export const FORMATS: readonly Format[] = [V1, PLAIN, SSE, POLLING];
