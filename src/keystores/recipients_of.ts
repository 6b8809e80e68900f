/** What ObjectIds and UUIDs have in common: their text in lower-case hex, a UUID's with dashes. */
interface Hex {
  toHexString(): string;
}

/** The value at `path` in a document; dots lead into embedded documents, never into arrays. */
export function valueAt(document: unknown, path: string): unknown {
  return path.split(".").reduce(
    (value, name) => isEmbedded(value) && Object.hasOwn(value, name) ? value[name] : undefined,
    document,
  );
}

/**
 * The recipients that a field's value names, distinct and in its order, in canonical text: a value
 * or an array of values. Undefined when it names none, or anything in it cannot be a name: else
 * a client would hear a part of what it is entitled to, and never know.
 */
export function recipientsOf(value: unknown): readonly string[] | undefined {
  const values = Array.isArray(value) ? value : [value];
  const texts = values.map(textOf);
  return texts.length > 0 && texts.every(isName) ? [...new Set(texts)] : undefined;
}

/**
 * No message can be addressed to an empty name, and its notices would be empty. U+FFFD stands for bytes
 * that are no text, so that it stands for many names.
 */
function isName(text: string | undefined): text is string {
  return text !== undefined && text !== "" && !text.includes("\ufffd");
}

/**
 * The canonical text of a value: a string as it is, ObjectId and UUID in lower-case hex, integers in
 * decimal; undefined for everything else.
 */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return String(value);
  // A double beyond the safe integers stands for several integers, so it names no recipient.
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : undefined;
  return isHex(value) ? value.toHexString() : undefined;
}

function isHex(value: unknown): value is Hex {
  return typeof (value as Hex | null | undefined)?.toHexString === "function";
}

function isEmbedded(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
