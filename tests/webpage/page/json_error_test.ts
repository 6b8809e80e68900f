import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import * as fc from "fast-check";
import { jsonError } from "../../../webpage/page/json_error.js";

const CASES: readonly [string, { line: number; column: number }, string][] = [
  [`{"a": “b”}`, { line: 1, column: 7 }, "typographic quote"],
  [`{'a': 1}`, { line: 1, column: 2 }, 'JSON quotes with "'],
  [`{"a": 1,\n "b": 2,\n}`, { line: 3, column: 1 }, "the comma before this"],
  [`[1, 2,]`, { line: 1, column: 7 }, "the comma before this"],
  [`{"😀": x}`, { line: 1, column: 7 }, "expected a value, found x"],
  [`{"a" 1}`, { line: 1, column: 6 }, "expected a colon, found 1"],
  [`{"a": "b}`, { line: 1, column: 10 }, "the text ends"],
  [`{"a": "b\nc"}`, { line: 1, column: 9 }, "a line break or a tab"],
  [`{"a": "\\q"}`, { line: 1, column: 8 }, "an escape"],
  [`{} {}`, { line: 1, column: 4 }, "expected the end, found {"],
  [``, { line: 1, column: 1 }, "the text ends"],
  [`{"a": 01}`, { line: 1, column: 8 }, "expected a comma or }, found 1"],
];

for (const [text, { line, column }, words] of CASES) {
  Deno.test(`jsonError: finds the place in ${JSON.stringify(text)}`, () => {
    const error = jsonError(text);
    assertEquals([error?.line, error?.column], [line, column]);
    assertStringIncludes(error?.detail ?? "", words);
    assertStringIncludes(error?.detail ?? "", `Line ${line}, column ${column}: `);
  });
}

Deno.test("jsonError: finds nothing in JSON, however it is laid out", () => {
  fc.assert(fc.property(fc.json(), fc.constantFrom(0, 1, "\t"), (text, space) => {
    assertEquals(jsonError(JSON.stringify(JSON.parse(text), null, space)), undefined);
  }));
});

Deno.test("jsonError: agrees with JSON.parse on what is JSON, a character taken out or put in", () => {
  const part = fc.constantFrom(...'{}[]",:01.-eE+tfn\\u \n'.split(""));
  fc.assert(
    fc.property(fc.json(), fc.nat(), part, fc.boolean(), (json, at, piece, takesOut) => {
      const place = at % (json.length + 1);
      const text = json.slice(0, place) + (takesOut ? "" : piece) +
        json.slice(place + (takesOut ? 1 : 0));
      const error = jsonError(text);
      assertEquals(error !== undefined, !isJson(text), text);
      assert(error === undefined || error.at <= text.length);
    }),
    { numRuns: 2_000 },
  );
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
