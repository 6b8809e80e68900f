import fc from "fast-check";

/** The white space of JSON, the empty text more often than any other. */
export const space: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constant("") },
  fc.string({ unit: fc.constantFrom(" ", "\t", "\r", "\n"), maxLength: 3 }),
);

/** One UTF-16 unit in one of the ways in which JSON lets it be spelled. */
function spellings(unit: string): string[] {
  const hex = unit.charCodeAt(0).toString(16).padStart(4, "0");
  const escapes = [`\\u${hex}`, `\\u${hex.toUpperCase()}`];
  const short: Record<string, string> = { '"': '\\"', "\\": "\\\\", "/": "\\/", "\n": "\\n" };
  if (short[unit] !== undefined) escapes.push(short[unit]);
  return /[\p{Cc}\p{Cs}"\\]/u.test(unit) ? escapes : [unit, unit, unit, ...escapes];
}

/** Some JSON spelling of `text`. */
export function spelled(text: string): fc.Arbitrary<string> {
  const units = text.split("").map((unit) => fc.constantFrom(...spellings(unit)));
  return fc.tuple(...units).map((parts) => `"${parts.join("")}"`);
}

const string = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom("recipients", "__proto__", "]}", "[{", '\\"', "\ud800", ""),
).chain(spelled);

const number = fc.oneof(
  fc.constantFrom("12345678901234567890", "1e400", "1.0", "-0", "-0.0E-7", "1E+2"),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
);

/** Any JSON value in any spelling. */
export const value: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => {
  const member = fc.tuple(space, string, space, space, tie("value"), space)
    .map(([a, name, b, c, value, d]) => `${a}${name}${b}:${c}${value}${d}`);
  const item = fc.tuple(space, tie("value"), space).map((parts) => parts.join(""));
  return {
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom("true", "false", "null"),
      number,
      string,
      fc.array(item, { maxLength: 3 }).map((items) => `[${items.join(",")}]`),
      fc.array(member, { maxLength: 3 }).map((members) => `{${members.join(",")}}`),
    ),
  };
}).value;

/** The name of a member in any spelling. */
export const name: fc.Arbitrary<string> = string;
