/** What may stand between two tokens. */
const BLANK = /[ \t\r\n]*/y;
/** A number, as JSON has it. */
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A piece of a string without its quotes. */
// deno-lint-ignore no-control-regex -- these are what JSON forbids in strings
const CHARACTERS = /(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*/y;
const WORD = /true|false|null/y;
/** What word processors and phones write for quotes. */
const TYPOGRAPHIC = /[\u2018-\u201f\u00ab\u00bb\u2039\u203a\u300c\u300d\uff02]/;

/**
 * Where a text stops being JSON: browsers say it in different ways, or not at all.
 *
 * @param {string} text
 * @returns {{ at: number, line: number, column: number, detail: string } | undefined} the place (`at`
 * counts UTF-16 units from 0, the others from 1) and what to do there; undefined for valid JSON
 */
export function jsonError(text) {
  const failure = scan(text);
  if (failure === undefined) return undefined;
  const { at, expected } = failure;
  const lines = text.slice(0, at).split("\n");
  const column = [...lines.at(-1)].length + 1;
  return {
    at,
    line: lines.length,
    column,
    detail: `Line ${lines.length}, column ${column}: ${advice(text, at, expected)}`,
  };
}

function advice(text, at, expected) {
  const found = String.fromCodePoint(text.codePointAt(at) ?? 0);
  if (at >= text.length) return `the text ends, but ${expected} is missing`;
  if (TYPOGRAPHIC.test(found)) {
    return `typographic quote ${found}, write "`;
  }
  if (found === "'") return `JSON quotes with ", not with '`;
  if (/[}\]]/.test(found) && text.slice(0, at).trimEnd().endsWith(",")) {
    return "the comma before this has nothing behind it: remove it";
  }
  const shown = /\s/.test(found) ? "a line break or a tab" : found;
  return `expected ${expected}, found ${shown}`;
}

/** Reads one value and the end; returns where that failed, and what would be right there. */
function scan(text) {
  let at = 0;
  const skip = (pattern) => {
    pattern.lastIndex = at;
    const [found] = pattern.exec(text) ?? [""];
    at += found.length;
    return found.length > 0;
  };
  const fail = (expected) => {
    throw { at, expected };
  };
  const take = (character, expected) => {
    skip(BLANK);
    if (text[at] !== character) fail(expected);
    at++;
  };
  const string = (expected) => {
    take('"', expected);
    skip(CHARACTERS);
    if (text[at] === "\\") fail('an escape such as \\n or \\"');
    if (text[at++] === '"') return;
    at--;
    fail('a closing "');
  };
  const members = (close, one, expected) => {
    at++;
    skip(BLANK);
    if (text[at] === close) return at++;
    for (;;) {
      one();
      skip(BLANK);
      if (text[at] === close) return at++;
      take(",", expected);
    }
  };
  const value = () => {
    skip(BLANK);
    if (text[at] === "{") {
      members("}", () => {
        string('a name in "quotes"');
        take(":", "a colon");
        value();
      }, "a comma or }");
    } else if (text[at] === "[") members("]", value, "a comma or ]");
    else if (text[at] === '"') string("a string");
    else if (!skip(NUMBER) && !skip(WORD)) fail("a value");
  };
  try {
    value();
    skip(BLANK);
    if (at < text.length) fail("the end");
  } catch (failure) {
    // A text nested deeper than the stack is no failure of this kind.
    if (failure instanceof Error) return undefined;
    return failure;
  }
}
