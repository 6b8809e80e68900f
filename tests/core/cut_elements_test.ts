import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { cutElements } from "../../src/core/cut_elements.ts";

const space = fc.constantFrom("", " ", "\n", "\r\n", "\t ");

Deno.test("cutElements: cuts every array into elements whose text is as it was", () => {
  const spaced = fc.tuple(space, fc.json(), space);
  fc.assert(fc.property(fc.array(spaced), space, space, (elements, before, after) => {
    const inner = elements.map((parts) => parts.join("")).join(",");
    const text = `${before}[${elements.length === 0 ? before : inner}]${after}`;
    assertEquals([...cutElements(text)], elements.map(([, json]) => json));
  }));
});

Deno.test("cutElements: keeps numbers, escapes and order of members", () => {
  const elements = [
    '{"n":12345678901234567890,"m":1e400}',
    '"\\u0041\\"],["',
    "1.0",
    '[[],{"a":[]}]',
  ];
  assertEquals([...cutElements(`[${elements.join(", ")}]`)], elements);
});

Deno.test("cutElements: throws where brackets or commas are missing, and always comes to an end", () => {
  const wrong = [
    "",
    " ",
    "{}",
    '"[]"',
    "[",
    "[1",
    "[1,",
    "[1,]",
    "[,1]",
    "[,]",
    "[1 2]",
    "[1]]",
    "[1]x",
  ];
  wrong.push('["a', '["a\\"]', '["a"b]', '[{"a":1}}]', "[[]", "1,2]", "\ufeff[]");
  for (const text of wrong) assertThrows(() => [...cutElements(text)], SyntaxError);
});

Deno.test("cutElements: what it takes and JSON does not shows in an element", () => {
  const piece = fc.constantFrom("[", "]", "{", "}", ",", ":", '"', "\\", "1", " ", '"a"', "null");
  const isJson = (text: string) => {
    try {
      return JSON.parse(text) !== undefined;
    } catch {
      return false;
    }
  };
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = `[${pieces.join("")}]`;
      let elements: string[];
      try {
        elements = [...cutElements(text)];
      } catch {
        return assert(!isJson(text));
      }
      assertEquals(isJson(text), elements.every(isJson));
    }),
    { numRuns: 3_000 },
  );
});
