import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { findTraceparent, parseTraceparent } from "../../src/core/traceparent.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

Deno.test("parseTraceparent: the lowest bit of the flags says whether the trace is sampled", () => {
  const isSampled = (flags: string) => parseTraceparent(`00-${TRACE}-${SPAN}-${flags}`)?.isSampled;
  assertEquals(["00", "01", "02", "03", "ff"].map(isSampled), [false, true, false, true, true]);
});

Deno.test("parseTraceparent: a later version may say more behind the flags, the first one may not", () => {
  const known = { traceId: TRACE, parentId: SPAN, isSampled: true };
  assertEquals(parseTraceparent(`cc-${TRACE}-${SPAN}-01`), known);
  assertEquals(parseTraceparent(`cc-${TRACE}-${SPAN}-01-what-will-be`), known);
  for (const text of [`00-${TRACE}-${SPAN}-01-more`, `cc-${TRACE}-${SPAN}-01more`]) {
    assertEquals(parseTraceparent(text), undefined, text);
  }
});

Deno.test("parseTraceparent: what is malformed is none", () => {
  const wrong = [
    ...["", "00", TRACE, `ff-${TRACE}-${SPAN}-01`, `0-${TRACE}-${SPAN}-01`],
    ...[`00-${TRACE.toUpperCase()}-${SPAN}-01`, `00-${TRACE}-${SPAN}-1`, `00-${TRACE}-${SPAN}`],
    ...[`00-${"0".repeat(32)}-${SPAN}-01`, `00-${TRACE}-${"0".repeat(16)}-01`],
    ...[` 00-${TRACE}-${SPAN}-01`, `00-${TRACE}-${SPAN}-01\n`, `00_${TRACE}_${SPAN}_01`],
    `cc-${TRACE}-${SPAN}-01-${"x".repeat(300)}`,
  ];
  for (const text of wrong) assertEquals(parseTraceparent(text), undefined, text);
});

Deno.test("findTraceparent: finds the member, wherever it stands and however it is spaced", () => {
  assertEquals(findTraceparent('{"traceparent":"a"}'), "a");
  assertEquals(findTraceparent('{ "n" : [1, {"x":"}"}] , "traceparent" : "a" , "m":2 }'), "a");
});

Deno.test("findTraceparent: members of inner objects, and texts, do not count", () => {
  assertEquals(findTraceparent('{"n":1}'), undefined);
  assertEquals(findTraceparent('{"data":{"traceparent":"a"}}'), undefined);
  assertEquals(findTraceparent('{"data":"\\"traceparent\\":\\"a\\""}'), undefined);
  assertEquals(findTraceparent('["traceparent"]'), undefined);
});

Deno.test("findTraceparent: what is no plain string is an empty text, which is malformed", () => {
  const values = ["1", "null", "{}", "[]", `"${"x".repeat(1_000)}"`];
  for (const value of values) assertEquals(findTraceparent(`{"traceparent":${value}}`), "", value);
});

Deno.test("findTraceparent: agrees with a parse, whatever else the object holds", () => {
  const value = fc.stringMatching(/^[0-9a-f-]{0,60}$/);
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), value, (others, traceparent) => {
      const object = { ...others, traceparent, more: others };
      assertEquals(findTraceparent(JSON.stringify(object)), traceparent);
      assertEquals(findTraceparent(JSON.stringify(object, null, 1)), traceparent);
    }),
  );
});
