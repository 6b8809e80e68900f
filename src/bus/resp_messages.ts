import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import type { Malformed } from "../core/malformed.ts";
import { decodeEnvelope } from "./decode_envelope.ts";

/** What the bytes of a subscribed connection hold. */
export interface RespListener {
  /** A message of one of the channels; `malformed` where its bytes are no text. */
  message(channel: string, text: string, malformed?: Malformed): void;
  /** Anything else, byte for byte and in order: whole replies, or what cannot be read. */
  other(bytes: Buffer): void;
}

const CR = 0x0d;
/** The length of a line break. */
const CRLF = 2;
const MINUS = 0x2d;
const ZERO = 0x30;
const BULK = 0x24;
const ARRAY = 0x2a;
/** How replies begin: simple string, error, number, bulk string, array. */
const TYPES = [0x2b, MINUS, 0x3a, BULK, ARRAY];
/** Redis writes no longer line. Without a bound, bytes without a line end would be searched for ever. */
const LONGEST_LINE = 65_536;

/**
 * Takes the messages of some channels out of what Redis sends to a subscriber. The format is RESP2,
 * https://redis.io/docs/latest/develop/reference/protocol-spec/. A message is one text here, where a
 * client for everything makes three buffers, three texts and two events of it.
 */
export class RespMessages {
  readonly #listener: RespListener;
  readonly #channels: readonly { readonly name: string; readonly head: Buffer }[];
  /** The start of a reply that is not whole yet. */
  #parts: Buffer[] = [];
  #size = 0;
  /** How much there must be of it before another look is worth it. */
  #needed = 0;

  constructor(channels: readonly string[], listener: RespListener) {
    this.#listener = listener;
    this.#channels = channels.map((name) => ({
      name,
      head: Buffer.from(`*3\r\n$7\r\nmessage\r\n$${Buffer.byteLength(name)}\r\n${name}\r\n$`),
    }));
  }

  /** Takes what came next. */
  write(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#size > 0) {
      this.#parts.push(chunk);
      this.#size += chunk.length;
      if (this.#size < this.#needed) return;
      // What comes behind the reply that had begun is not copied, unless its length was not known yet.
      const behind = this.#size - this.#needed;
      const isRead = this.#read(Buffer.concat(this.#parts, this.#needed)) > 0;
      bytes = isRead
        ? chunk.subarray(chunk.length - behind)
        : Buffer.concat(this.#parts, this.#size);
    }
    const read = this.#read(bytes);
    this.#size = bytes.length - read;
    this.#parts = this.#size > 0 ? [bytes.subarray(read)] : [];
  }

  /** Reads whole replies. Returns how many bytes they take. */
  #read(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length) {
      const end = replyEnd(bytes, at);
      if (end > bytes.length) {
        this.#needed = end - at;
        return at;
      }
      const channel = this.#channels.find(({ head }) => startsWith(bytes, head, at));
      if (channel === undefined) this.#listener.other(bytes.subarray(at, end));
      else {
        const start = lineEnd(bytes, at + channel.head.length) + CRLF;
        const { text, malformed } = decodeEnvelope(bytes, start, end - CRLF);
        this.#listener.message(channel.name, text, malformed);
      }
      at = end;
    }
    return at;
  }
}

/**
 * Takes the messages of `channels` out of what `stream` brings; all else goes on to those who have
 * listened so far. To be called while no reply is under way.
 */
export function interceptMessages(
  stream: Readable,
  channels: readonly string[],
  { message, ready = () => undefined }: {
    readonly message: RespListener["message"];
    /** Asked after each chunk; the stream is paused until it resolves. */
    readonly ready?: () => Promise<void> | undefined;
  },
): void {
  const listeners = stream.listeners("data") as ((bytes: Buffer) => void)[];
  stream.removeAllListeners("data");
  const other = (bytes: Buffer) => listeners.forEach((listener) => listener(bytes));
  const messages = new RespMessages(channels, { message, other });
  stream.on("data", (bytes: Buffer) => {
    messages.write(bytes);
    const pause = ready();
    if (pause === undefined) return;
    stream.pause();
    pause.then(() => stream.resume());
  });
}

function startsWith(bytes: Buffer, head: Buffer, at: number): boolean {
  // From its end, where one channel differs from the other.
  for (let index = head.length - 1; index >= 0; index--) {
    if (bytes[at + index] !== head[index]) return false;
  }
  return true;
}

/** Behind the reply that begins at `start`, or behind at least what is missing of it. */
function replyEnd(bytes: Buffer, start: number): number {
  let at = start;
  for (let left = 1; left > 0; left--) {
    const type = bytes[at];
    if (type === undefined) return at + 1;
    const end = lineEnd(bytes, at);
    if (!TYPES.includes(type)) return bytes.length; // It cannot be read.
    if (end === -1) return bytes.length + (bytes.length - at > LONGEST_LINE ? 0 : 1);
    const length = lengthAt(bytes, at + 1);
    at = end + CRLF;
    if (type === BULK && length >= 0) at += length + CRLF;
    if (type === ARRAY) left += Math.max(0, length);
  }
  return at;
}

/** Where the line that holds `at` ends, -1 where that is not there yet. */
function lineEnd(bytes: Buffer, at: number): number {
  for (let end = at; end < bytes.length; end++) if (bytes[end] === CR) return end;
  return -1;
}

/** The length that is written at `at`: -1 stands for nothing. */
function lengthAt(bytes: Buffer, at: number): number {
  if (bytes[at] === MINUS) return -1;
  let length = 0;
  for (let index = at; bytes[index] !== CR; index++) length = length * 10 + bytes[index]! - ZERO;
  return length;
}
