import { COMMA, QUOTE, skipSpace, skipString, skipValue } from "./json_scan.ts";

/** A member's place in the text of its object. */
interface Place {
  /** Behind the member before it, or behind the opening brace. */
  readonly before: number;
  /** Where its name begins. */
  readonly start: number;
  /** Behind its value. */
  readonly end: number;
}

/**
 * Cuts the member `name` out of the text of a JSON object, with its comma and the space beside that,
 * and leaves every other character as it is. An escaped spelling of the name counts, members of inner
 * objects do not.
 *
 * @param text a valid JSON object: this only finds its way through it, and checks nothing
 * @param name of ASCII letters alone, so that nothing but `\u00…` can spell it otherwise
 * @returns the rest, or how many such members there are where it is not one
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cutMember } from "./cut_member.ts";
 *
 * assertEquals(cutMember('{"a":1, "b":1.0}', "a"), '{"b":1.0}');
 * assertEquals(cutMember('{"b":{"a":1}}', "a"), "none");
 * assertEquals(cutMember('{"a":1,"\\u0061":1}', "a"), "several");
 * ```
 */
export function cutMember(text: string, name: string): string | "none" | "several" {
  const place = findMember(text, name, text.indexOf("{") + 1);
  if (place === undefined) return "none";
  const comma = skipSpace(text, place.end);
  if (text.charCodeAt(comma) !== COMMA) return text.slice(0, place.before) + text.slice(place.end);
  if (mayHold(text, name, comma) && findMember(text, name, comma + 1)) return "several";
  return text.slice(0, place.start) + text.slice(skipSpace(text, comma + 1));
}

/**
 * Where the value of the member `name` begins in the text of a JSON object; undefined where it has none.
 * @param text as for {@link cutMember}
 */
export function findValue(text: string, name: string): number | undefined {
  const member = findMember(text, name, text.indexOf("{") + 1);
  if (member === undefined) return undefined;
  return skipSpace(text, skipSpace(text, skipString(text, member.start)) + 1);
}

/** Whether a look at the members behind `from` is worth it: most texts are spared that. */
function mayHold(text: string, name: string, from: number): boolean {
  return text.includes(name, from) || text.includes("\\u00", from);
}

/** Finds the first member `name` behind `from`, which stands behind the brace or a comma. */
function findMember(text: string, name: string, from: number): Place | undefined {
  let before = from;
  let start = skipSpace(text, from);
  while (text.charCodeAt(start) === QUOTE) {
    const nameEnd = skipString(text, start);
    const end = skipValue(text, skipSpace(text, skipSpace(text, nameEnd) + 1));
    if (spells(text.slice(start, nameEnd), name)) return { before, start, end };
    const comma = skipSpace(text, end);
    if (text.charCodeAt(comma) !== COMMA) return undefined;
    before = end;
    start = skipSpace(text, comma + 1);
  }
  return undefined;
}

function spells(literal: string, name: string): boolean {
  if (literal.length === name.length + 2) return literal.startsWith(name, 1);
  return literal.includes("\\u00") && JSON.parse(literal) === name;
}
