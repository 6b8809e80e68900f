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
  return layOut(text).map(([piece]) => piece).join("");
}

/**
 * The same as elements: names and strings are told apart by colour, and each is isolated, so that one
 * which is written from right to left does not turn around what stands beside it.
 *
 * @param {string} text valid JSON
 * @returns {DocumentFragment}
 */
export function jsonElements(text) {
  return elements(layOut(text));
}

/**
 * A beginning of JSON text on one line, isolated like {@link jsonElements}.
 *
 * @param {string} text
 * @returns {DocumentFragment}
 */
export function jsonLine(text) {
  const pieces = text.split(/("(?:\\.|[^"\\]+)*"?)/);
  return elements(pieces.map((piece) => [piece, piece.startsWith('"') ? "text" : ""]));
}

/** Pieces with their kind: `name`, `text`, `value`, or none for what stands between them. */
function layOut(text) {
  const pieces = [];
  let depth = 0;
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      pieces.push([token + line(++depth), ""]);
    } else if (token === "}" || token === "]") {
      pieces.push([line(--depth) + token, ""]);
    } else if (token === ",") pieces.push([token + line(depth), ""]);
    else if (token === ":") {
      pieces.at(-1)[1] = "name";
      pieces.push([": ", ""]);
    } else if (/^[[{]/.test(token)) pieces.push([token.replace(/\s/g, ""), ""]);
    else pieces.push([token, token.startsWith('"') ? "text" : "value"]);
  }
  return pieces;
}

function elements(pieces) {
  const fragment = document.createDocumentFragment();
  for (const [piece, kind] of pieces) {
    if (kind === "") {
      fragment.append(piece);
      continue;
    }
    const element = document.createElement("bdi");
    element.className = kind;
    element.textContent = piece;
    fragment.append(element);
  }
  return fragment;
}

function line(depth) {
  return "\n" + "  ".repeat(depth);
}
