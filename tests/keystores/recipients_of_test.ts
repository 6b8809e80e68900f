import { assertEquals } from "@std/assert";
import { Binary, Decimal128, MaxKey, Timestamp } from "mongodb";
import { recipientsOf, valueAt } from "../../src/keystores/recipients_of.ts";

Deno.test("recipientsOf writes whole numbers in decimal", () => {
  assertEquals(recipientsOf([0, -0, 42, -7, 2 ** 53 - 1, 2n ** 62n]), [
    ...["0", "42", "-7", "9007199254740991", "4611686018427387904"],
  ]);
});

Deno.test("recipientsOf takes nothing where one value in the array cannot be a name", () => {
  const values = [
    ...[
      "",
      "a\ufffd",
      null,
      undefined,
      true,
      1.5,
      NaN,
      Infinity,
      2 ** 53,
      new Date(0),
      {},
      ["a"],
      Symbol("a"),
    ],
    ...[new Decimal128("7"), new Timestamp(7n), new MaxKey(), new Binary(new Uint8Array(16), 3)],
  ];
  for (const value of values) {
    assertEquals(recipientsOf(["a", value]), undefined);
  }
});

Deno.test("recipientsOf takes nothing where there is no name at all", () => {
  for (const value of ["", undefined, null, [], {}, true]) {
    assertEquals(recipientsOf(value), undefined);
  }
});

Deno.test("valueAt reads own fields of embedded documents only", () => {
  const document = { a: { b: { c: 1 } }, list: [{ c: 1 }], "a.b": 2, text: "x" };
  assertEquals(valueAt(document, "a.b.c"), 1);
  for (const path of ["a.c", "list.c", "list.0", "list.length", "text.length", "constructor"]) {
    assertEquals(valueAt(document, path), undefined, path);
  }
});
