import { cutMember } from "./cut_member.ts";
import type { Malformed } from "./malformed.ts";

export type { Malformed };

/**
 * The envelope: a JSON object that names its `recipients` and carries anything else.
 *
 * What is delivered is the text of that object without the `recipients` member, every other byte as
 * the backend wrote it: parsing and printing again would change 12345678901234567890, 1e400 and 1.0.
 */
export interface Message {
  /**
   * The names that should hear it, or everyone connected. A repeated one hears it once; the
   * hub sees to that, as a set of a thousand names would cost more than all else here.
   */
  readonly recipients: readonly string[] | "*";
  /** The delivered JSON object, on one line. */
  readonly body: string;
}

/** How nearly every envelope begins. */
const PREFIX = '{"recipients":';
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;

/**
 * Reads one envelope. Returns the message, or the reason why it is none; it never throws.
 *
 * @param maxBytes the largest envelope taken, in bytes of UTF-8
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseMessage } from "./message.ts";
 *
 * assertEquals(parseMessage('{"recipients":["a"],"data":1.0}', 262_144), {
 *   recipients: ["a"],
 *   body: '{"data":1.0}',
 * });
 * ```
 */
export function parseMessage(text: string, maxBytes: number): Message | Malformed {
  if (isLarger(text, maxBytes)) return "too_large";
  const envelope = parseJson(text);
  if (envelope === undefined) return "not_json";
  if (typeof envelope !== "object" || envelope === null || Array.isArray(envelope)) {
    return "not_object";
  }
  const rest = cutMember(text, "recipients");
  if (rest === "none") return "no_recipients";
  if (rest === "several") return "repeated_recipients";
  const recipients = readRecipients((envelope as { recipients?: unknown }).recipients);
  return typeof recipients === "string" && recipients !== "*"
    ? recipients
    : { recipients, body: onOneLine(rest) };
}

/**
 * Whether an envelope is surely for none of the recipients that `has` knows, by a look at its first bytes alone: the
 * common case in a cluster, where most messages are for sockets of other nodes. `false` says nothing.
 */
export function isForNoneOf(text: string, has: (recipient: string) => boolean): boolean {
  if (!text.startsWith(PREFIX)) return false;
  let at = skipBlank(text, PREFIX.length);
  if (text.charCodeAt(at) !== OPENING_BRACKET) return false;
  for (;;) {
    at = skipBlank(text, at + 1);
    if (text.charCodeAt(at) !== QUOTE) return false;
    const end = text.indexOf('"', at + 1);
    const recipient = text.slice(at + 1, end);
    // Without a closing quote the slice is not a name either, but then nothing follows it.
    if (recipient.includes("\\") || has(recipient)) return false;
    at = end + 1;
    if (text.charCodeAt(at) === CLOSING_BRACKET) return true;
    if (text.charCodeAt(at) !== COMMA) return false;
  }
}

/** JSON printers put at most one space behind a colon or a comma; other texts are parsed whole. */
function skipBlank(text: string, at: number): number {
  return text.charCodeAt(at) === SPACE ? at + 1 : at;
}

/** Encodes only where the length does not settle it: a UTF-16 unit takes one to three bytes. */
function isLarger(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).length > maxBytes;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readRecipients(value: unknown): Message["recipients"] | Malformed {
  if (value === "*") return value;
  if (!Array.isArray(value)) return "wrong_recipients";
  if (value.some((each) => typeof each === "number")) return "numeric_recipients";
  return value.every(isRecipient) ? value : "wrong_recipients";
}

/** Whether `value` can be a recipient's name: any well-formed text but the empty one. */
export function isRecipient(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.isWellFormed();
}

/**
 * Valid JSON has line breaks only between tokens. The search also makes one flat text of what was
 * cut, so that a body kept for long does not keep its whole envelope.
 */
function onOneLine(json: string): string {
  return json.includes("\n") || json.includes("\r") ? json.replace(/[\r\n]/g, " ") : json;
}
