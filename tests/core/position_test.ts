import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { compareIds, formatCursor, parseCursor, type Position } from "../../src/core/position.ts";

const LARGEST = "18446744073709551615";

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const id = fc.tuple(u64, u64).map(([time, sequence]) => `${time}-${sequence}`);
const marker = fc.stringMatching(/^[A-Za-z0-9_-]{0,32}$/);
const position: fc.Arbitrary<Position> = fc.record({
  stream: id,
  marker,
  since: fc.maxSafeNat(),
}, { noNullPrototype: true });

Deno.test("a cursor names the position that it was written for", () => {
  fc.assert(fc.property(position, (position) => {
    assertEquals(parseCursor(formatCursor(position)), position);
  }));
});

Deno.test("a cursor needs no escaping in a query and is at most 128 characters long", () => {
  fc.assert(fc.property(position, (position) => {
    assert(/^[A-Za-z0-9._~-]{1,128}$/.test(formatCursor(position)));
  }));
});

Deno.test("the largest position of all can be written and read", () => {
  const largest = {
    stream: `${LARGEST}-${LARGEST}`,
    marker: "b".repeat(32),
    since: Number.MAX_SAFE_INTEGER,
  };
  assertEquals(parseCursor(formatCursor(largest)), largest);
});

for (
  const junk of [
    "",
    "~",
    "~~",
    "~~0",
    "0~~0",
    "0-0~",
    "0-0~~",
    "0-0~~-1",
    "0-0~~1.5",
    "0-0~~1e3",
    "0-0~~00",
    "0-0~~01",
    "00-0~~0",
    "01-0~~0",
    "0-01~~0",
    "-1-0~~0",
    "0-0-0~~0",
    "+1-0~~0",
    " 0-0~~0",
    "0-0~~0 ",
    "0-0~~0\n",
    "0-0~~0~0",
    "0-0~a.b~0",
    "0-0~ä~0",
    "٣-0~~0",
    "0-0~~٣",
    `18446744073709551616-0~~0`,
    `0-18446744073709551616~~0`,
    `99999999999999999999-0~~0`,
    `0-0~~${Number.MAX_SAFE_INTEGER + 1}`,
    `0-0~${"b".repeat(33)}~0`,
    "undefined",
    "[object Object]",
    "1a-0~~0",
  ]
) {
  Deno.test(`${JSON.stringify(junk)} is no cursor`, () => {
    assertEquals(parseCursor(junk), undefined);
  });
}

Deno.test("any text is read as a cursor that is written just so, or as none", () => {
  const unit = fc.constantFrom(..."0123-~aA_.9 \n");
  fc.assert(fc.property(fc.string({ unit, maxLength: 12 }), (text) => {
    const position = parseCursor(text);
    if (position === undefined) return;
    const { stream, marker, since } = position;
    assertEquals(marker === undefined ? stream : formatCursor({ stream, marker, since }), text);
  }));
});

Deno.test("parseCursor: the id of an entry alone has no part of the channel", () => {
  assertEquals(parseCursor("5-1"), { stream: "5-1", marker: undefined, since: 0 });
});

Deno.test("a text of 10 MB is refused at once", () => {
  const texts = ["1", "~", "0-0~~0", "-", "a"].map((part) =>
    part.repeat(10_000_000 / part.length) + "0-0~~0"
  );
  const start = performance.now();
  for (let i = 0; i < 10_000; i++) {
    for (const text of texts) assertEquals(parseCursor(text), undefined);
  }
  assert(performance.now() - start < 10_000, "50,000 of them took more than 10 s");
});

Deno.test("ids are compared by their numbers, however long", () => {
  const compare = (a: bigint, b: bigint) => a < b ? -1 : a > b ? 1 : 0;
  // Small numbers beside large ones, so that equal halves come up.
  const half = fc.oneof(u64, fc.bigInt({ min: 0n, max: 12n }));
  fc.assert(fc.property(half, half, half, half, (a, b, c, d) => {
    const expected = compare(a, c) || compare(b, d);
    assertEquals(Math.sign(compareIds(`${a}-${b}`, `${c}-${d}`)), expected);
  }));
});
