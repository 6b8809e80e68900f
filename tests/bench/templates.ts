/** What the generator sends, as templates with marks of fixed width that it fills in. */

const KEY = "@KKKK@";
const NUMBER = "@NNNNNNNN@";
const TIME = "@TTTTTTTTTTTTTTTTT@";
const BODY_BYTES = 240;

const encoder = new TextEncoder();

/** The key of socket `index`, as the generator fills it in. */
export function keyOf(index: number): string {
  return `k${String(index).padStart(KEY.length - 1, "0")}`;
}

/** Whom each message names: one that all hold, each of a list, one of many in turn, or strangers. */
export type Address =
  | { readonly to: "topic" }
  | { readonly to: "list"; readonly size: number }
  | { readonly to: "one" }
  | { readonly to: "elsewhere" };

/** The names in an envelope, a mark where they change from message to message. */
export function recipientsOf(address: Address): readonly string[] {
  switch (address.to) {
    case "topic":
      return [keyOf(0)];
    case "list":
      return Array.from({ length: address.size }, (_, index) => keyOf(index));
    case "one":
      return [KEY];
    case "elsewhere":
      return [`elsewhere-${KEY}`];
  }
}

/** The text inside a message: its number, its time, and as much more as makes 240 bytes delivered. */
export function messageText(): string {
  const text = `n=${NUMBER} t=${TIME} `;
  return text.padEnd(BODY_BYTES - `{"data":{"entry":""}}`.length, "x");
}

/** What is delivered: 240 bytes of JSON. */
export function messageBody(): string {
  return `{"data":{"entry":"${messageText()}"}}`;
}

/** A request to upgrade to a WebSocket. */
export function webSocketHandshake(path: string, protocol?: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` +
    (protocol === undefined ? "" : `Sec-WebSocket-Protocol: ${protocol}\r\n`) + "\r\n";
}

/** A client's text frame, masked with zeros so that marks in it stay what they are. */
export function textFrame(text: string): string {
  if (text.length > 125) throw new RangeError(`Cannot frame ${text.length} bytes: at most 125`);
  return `\x81${String.fromCharCode(0x80 | text.length)}\0\0\0\0${text}`;
}

/** A Redis command as RESP; each character is one byte. */
export function redisCommand(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

/** An HTTP request on a connection that is kept. */
export function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n` +
    `Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** The envelope that Keywire, and the loops that do as little as it must, hear on a channel. */
export function publishEnvelope(address: Address): string {
  return redisCommand("PUBLISH", "my_channel", envelope(address));
}

/** The same as an entry of `stream`, which keeps about 100,000. */
export function addEnvelope(address: Address, stream: string): string {
  const size = ["MAXLEN", "~", "100000"];
  return redisCommand("XADD", stream, ...size, "*", "message", envelope(address));
}

function envelope(address: Address): string {
  return `{"recipients":${JSON.stringify(recipientsOf(address))},${messageBody().slice(1)}`;
}

/** The mark for the key in a path or a greeting. */
export const KEY_MARK = KEY;

/** A template as bytes: every character stands for one. */
export function bytesOf(template: string): Uint8Array {
  return template.split("").some((character) => character > "\xff")
    ? encoder.encode(template)
    : Uint8Array.from(template, (character) => character.charCodeAt(0));
}
