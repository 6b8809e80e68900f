/** Finds its way through the text of JSON, and checks nothing. */

/** The code of `"`. */
export const QUOTE = 0x22;
/** The code of `,`. */
export const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/** Behind the space that begins at `start`, if any. */
export function skipSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** Whether a code unit is space as JSON has it. */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

/** Behind the string that begins at `start`; the end of the text where it has no end. */
export function skipString(text: string, start: number): number {
  for (let quote = text.indexOf('"', start + 1);; quote = text.indexOf('"', quote + 1)) {
    if (quote === -1) return text.length;
    let escapes = quote;
    while (text.charCodeAt(escapes - 1) === BACKSLASH) escapes--;
    if ((quote - escapes) % 2 === 0) return quote + 1;
  }
}

/** Behind the value that begins at `start`, or would, if it were one. Without recursion: depth is the sender's choice. */
export function skipValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length;) {
    switch (text[at]) {
      case '"':
        at = skipString(text, at);
        if (depth === 0) return at;
        break;
      case "{":
      case "[":
        depth++;
        at++;
        break;
      case "}":
      case "]":
        if (depth === 0) return at;
        at++;
        if (--depth === 0) return at;
        break;
      case ",":
        if (depth === 0) return at;
        at++;
        break;
      default:
        if (depth === 0 && isSpace(text.charCodeAt(at))) return at;
        at++;
    }
  }
  return text.length;
}
