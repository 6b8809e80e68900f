/** A string, an empty array or object, a mark, or any other value. */
const TOKEN = /"(?:\\.|[^"\\]+)*"|[[{]\s*[\]}]|[[\]{}:,]|[^\s[\]{}:,"]+/g;

/**
 * Lays JSON text out over lines without reading its values: parsing and printing again would show
 * 12345678901234567890 as 12345678901234567000.
 *
 * @param {string} text valid JSON
 * @returns {string}
 */
export function prettyJson(text) {
  let depth = 0;
  let pretty = "";
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") pretty += token + line(++depth);
    else if (token === "}" || token === "]") pretty += line(--depth) + token;
    else if (token === ",") pretty += token + line(depth);
    else if (token === ":") pretty += ": ";
    else pretty += /^[[{]/.test(token) ? token.replace(/\s/g, "") : token;
  }
  return pretty;
}

function line(depth) {
  return "\n" + "  ".repeat(depth);
}
