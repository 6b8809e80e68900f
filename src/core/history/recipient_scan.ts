/** The names of an envelope's recipients where they stand: found by hash, and compared exactly. */
import { findValue } from "../cut_member.ts";
import { parseMessage } from "../message.ts";

/** How nearly every envelope begins. */
const PREFIX = '{"recipients":';
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;

/** Where a name stands in an envelope's text: the place of its opening quote, and the name's hash. */
export type FoundName = (hash: number, offset: number) => void;

/** How names are hashed. */
export interface NameHash {
  /** No client knows it, so that names with equal hashes cannot be made. */
  readonly seed: number;
  /** How many bits a hash has. */
  readonly bits: number;
}

/**
 * Tells `found` of each name among an envelope's recipients, repeated ones too, by a walk over its
 * beginning alone: it may still turn out to be malformed.
 *
 * @returns where the walk ended; undefined where the envelope must be read, and what was found before
 * means nothing
 */
export function walkNames(text: string, hash: NameHash, found: FoundName): number | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  let at = skipBlank(text, PREFIX.length);
  if (text.charCodeAt(at) !== OPENING_BRACKET) return undefined;
  for (;;) {
    at = skipBlank(text, at + 1);
    if (text.charCodeAt(at) !== QUOTE) return undefined;
    let state = hash.seed;
    let end = at + 1;
    for (let code = text.charCodeAt(end); code !== QUOTE; code = text.charCodeAt(++end)) {
      // Behind the end of the text comes NaN, which is at or above nothing.
      if (code === BACKSLASH || !(code >= SPACE)) return undefined;
      state = mix(state, code);
    }
    found(finish(state) >>> 32 - hash.bits, at);
    at = skipBlank(text, end + 1);
    const code = text.charCodeAt(at);
    if (code === CLOSING_BRACKET) return at;
    if (code !== COMMA) return undefined;
  }
}

/**
 * Tells `found` of each name among an envelope's recipients, repeated ones too. It reads the whole
 * envelope, and finds none in one that is malformed.
 *
 * @param maxBytes the largest envelope taken, in bytes of UTF-8
 * @returns whether it is for everyone
 */
export function readNames(
  text: string,
  { hash, maxBytes }: { readonly hash: NameHash; readonly maxBytes: number },
  found: FoundName,
): boolean {
  const message = parseMessage(text, maxBytes);
  if (typeof message === "string") return false;
  if (message.recipients === "*") return true;
  let at = findValue(text, "recipients")!;
  for (const name of message.recipients) {
    at = text.indexOf('"', at + 1); // Between names stand commas and blanks alone.
    found(hashName(name, hash), at);
    at = literalEnd(text, at) - 1;
  }
  return false;
}

/** The hash of a name, of so many bits. */
export function hashName(name: string, { seed, bits }: NameHash): number {
  let state = seed;
  for (let i = 0; i < name.length; i++) state = mix(state, name.charCodeAt(i));
  return finish(state) >>> 32 - bits;
}

/** Whether the name that begins at `offset` of an envelope's text, where one was found, is `name`. */
export function isNameAt(text: string, offset: number, name: string): boolean {
  if (text === "") return false;
  // Between its quotes a literal without a backslash is the name itself.
  const end = offset + 1 + name.length;
  if (text.charCodeAt(end) === QUOTE && text.startsWith(name, offset + 1)) {
    if (!name.includes("\\") && !name.includes('"')) return true;
  }
  const literal = text.slice(offset, literalEnd(text, offset));
  return literal.includes("\\") && JSON.parse(literal) === name;
}

function skipBlank(text: string, at: number): number {
  return text.charCodeAt(at) === SPACE ? at + 1 : at;
}

/** Behind the closing quote of the literal that begins at `start`. */
function literalEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

function mix(state: number, code: number): number {
  const product = Math.imul(state ^ code, 0x5bd1e995);
  return product ^ product >>> 15;
}

function finish(state: number): number {
  const product = Math.imul(state ^ state >>> 13, 0x9e3779b1);
  return product ^ product >>> 16;
}
