/** What the driver tells each program, and how a program tells the driver what its client met. */
import { Buffer } from "node:buffer";
import process from "node:process";

/** `http://127.0.0.1:<port>` */
export const url = process.env.KEYWIRE_URL;
export const key = process.env.KEYWIRE_KEY;
/** The cursor to begin at, empty where there is none. */
export const after = process.env.KEYWIRE_AFTER ?? "";
/** The key as a subprotocol: the one header that a browser's WebSocket can send. */
export const keyProtocol = `key.${Buffer.from(key).toString("base64url")}`;

/** Tells the driver one thing, in a line of JSON. */
export function say(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** The newest cursor of a frame of `keywire.v1`: that of its last line. */
export function cursorOf(frame) {
  return JSON.parse(frame.slice(frame.lastIndexOf("\n") + 1)).cursor;
}

/** How long to wait after so many failures in a row, in milliseconds (docs/protocol.md). */
export function backoff(failures) {
  return Math.random() * Math.min(20_000, 500 * 2 ** failures);
}
