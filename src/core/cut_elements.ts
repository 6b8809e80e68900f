import { COMMA, skipSpace, skipValue } from "./json_scan.ts";

const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;

/**
 * Cuts the elements out of the text of a JSON array, one at a time, so that a long text can be cut in
 * slices. Every character of an element stays as it is. Elements are not checked.
 *
 * @throws {SyntaxError} where the text is no array: brackets or commas are missing
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { cutElements } from "./cut_elements.ts";
 *
 * assertEquals([...cutElements('[ {"a":1.0}, "b,]" ]')], ['{"a":1.0}', '"b,]"']);
 * ```
 */
export function* cutElements(text: string): Generator<string, void> {
  const opening = skipSpace(text, 0);
  if (text.charCodeAt(opening) !== OPENING_BRACKET) throw new SyntaxError("it must begin with [");
  let at = skipSpace(text, opening + 1);
  while (text.charCodeAt(at) !== CLOSING_BRACKET) {
    const end = skipValue(text, at);
    if (end === at) throw new SyntaxError("an element is missing");
    yield text.slice(at, end);
    at = skipSpace(text, end);
    if (text.charCodeAt(at) === CLOSING_BRACKET) break;
    if (text.charCodeAt(at) !== COMMA) throw new SyntaxError("a comma or the closing ] is missing");
    at = skipSpace(text, at + 1);
    if (text.charCodeAt(at) === CLOSING_BRACKET) throw new SyntaxError("an element is missing");
  }
  if (skipSpace(text, at + 1) < text.length) {
    throw new SyntaxError("something follows the closing ]");
  }
}
