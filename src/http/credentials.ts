/**
 * What a request brings: its key, its cursor, and the protocol that it offers. The query is read off
 * the raw URL: URLSearchParams would turn a plus into a space and let malformed escapes through.
 */

import { createHash } from "node:crypto";

/** The part of a request that is read here. */
export interface KeyRequest {
  readonly url: string;
  readonly headers: Headers;
}

const MAX_KEY_BYTES = 256;
const MAX_CURSOR_LENGTH = 128;

/** What a malformed key reads as: present, so that no other is looked for, and no key. */
const MALFORMED = "";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads the key that a request presents: the first that is present of a subprotocol entry
 * `key.<unpadded base64url>`, `Authorization: Bearer`, `key=` in the query, and the raw query up to
 * its first `&`.
 *
 * @returns undefined when none is present, or the first one is malformed
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { readKey } from "./credentials.ts";
 *
 * assertEquals(readKey(new Request("http://localhost/websocket?demo&_=1")), "demo");
 * assertEquals(readKey(new Request("http://localhost/events?after=c&key=a+b%20c")), "a+b c");
 * ```
 */
export function readKey({ url, headers }: KeyRequest): string | undefined {
  const key = keyOfSubprotocol(headers) ?? keyOfBearer(headers) ?? keyOfQuery(queryOf(url));
  return key !== undefined && isKey(key) ? key : undefined;
}

/**
 * Reads the cursor that a client brings: `Last-Event-ID`, else `lastEventId=`, as polyfills of
 * EventSource send it, else `after=`. The first two come with a reconnect, beside the query of the
 * first connect, so they are the newer ones. An empty one is that of a client that has none yet.
 * Undefined when it brings none, and the empty text, which no node has written, for one that surely
 * is no cursor.
 */
export function readCursor({ url, headers }: KeyRequest): string | undefined {
  const header = headers.get("Last-Event-ID");
  if (header) return header;
  const query = queryOf(url);
  const brought = findParameter(query, "lastEventId") || findParameter(query, "after");
  return brought ? decode(brought, MAX_CURSOR_LENGTH) ?? "" : undefined;
}

/** Whether a client offers the subprotocol `keywire.v1`. */
export function offersV1(headers: Headers): boolean {
  return subprotocols(headers).includes("keywire.v1");
}

/** Whether `text` can be a key: 1 to 256 bytes of UTF-8 without control characters. */
export function isKey(text: string): boolean {
  return text.length > 0 && text.length <= MAX_KEY_BYTES && text.isWellFormed() &&
    !/\p{Cc}/u.test(text) && new TextEncoder().encode(text).length <= MAX_KEY_BYTES;
}

function keyOfSubprotocol(headers: Headers): string | undefined {
  const [entry, another] = subprotocols(headers).filter((each) => each.startsWith("key."));
  if (entry === undefined) return undefined;
  return another === undefined ? fromBase64Url(entry.slice("key.".length)) : MALFORMED;
}

/** SHA-256 of a key in unpadded base64url: names the key to other nodes without telling it. */
export function sha256(key: string): string {
  return createHash("sha256").update(key).digest("base64url");
}

function subprotocols(headers: Headers): string[] {
  const offered = headers.get("Sec-WebSocket-Protocol");
  return offered === null ? [] : offered.split(",").map((entry) => entry.trim());
}

function keyOfBearer(headers: Headers): string | undefined {
  const bearer = /^bearer(?: +(.*))?$/i.exec(headers.get("Authorization") ?? "");
  if (bearer === null) return undefined;
  // A header's text holds a byte in each of its characters.
  const bytes = bearer[1]?.slice(0, MAX_KEY_BYTES + 1) ?? "";
  return fromUtf8(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)));
}

function keyOfQuery(query: string): string | undefined {
  const named = findParameter(query, "key");
  if (named !== undefined && query.lastIndexOf("&key=") > query.indexOf("&key=")) return undefined;
  if (named === undefined && /^&(?:after|lastEventId|_)=/.test(query)) return undefined;
  return decode(named ?? upToAmpersand(query, 1), MAX_KEY_BYTES);
}

/** The raw query with an `&` before it, so that each of its parts begins with one. */
function queryOf(url: string): string {
  const mark = url.indexOf("?");
  return mark === -1 ? "&" : "&" + url.slice(mark + 1);
}

/** The raw value of the first parameter `name`. */
function findParameter(query: string, name: string): string | undefined {
  const at = query.indexOf(`&${name}=`);
  return at === -1 ? undefined : upToAmpersand(query, at + name.length + 2);
}

function upToAmpersand(query: string, start: number): string {
  const end = query.indexOf("&", start);
  return query.slice(start, end === -1 ? undefined : end);
}

/** Decodes a part of the query that stands for at most `maxBytes`; undefined when it is malformed. */
function decode(raw: string, maxBytes: number): string | undefined {
  if (raw.length > maxBytes * "%00".length) return undefined;
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

function fromBase64Url(text: string): string {
  if (text.length > MAX_KEY_BYTES * 2) return MALFORMED;
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    // Padding, spaces and stray bits decode as well: one key has one spelling.
    if (bytes.toBase64({ alphabet: "base64url", omitPadding: true }) !== text) return MALFORMED;
    return fromUtf8(bytes);
  } catch {
    return MALFORMED;
  }
}

function fromUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return MALFORMED;
  }
}
