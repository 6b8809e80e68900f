import { assertEquals } from "@std/assert";
import { idBefore } from "../../src/bus/id_before.ts";

Deno.test("idBefore counts down the sequence, then the milliseconds, and stops at the first id", () => {
  assertEquals(idBefore("1700000000000-2"), "1700000000000-1");
  assertEquals(
    idBefore("1700000000000-18446744073709551615"),
    "1700000000000-18446744073709551614",
  );
  assertEquals(idBefore("1700000000000-0"), "1699999999999-18446744073709551615");
  assertEquals(idBefore("0-1"), "0-0");
  assertEquals(idBefore("0-0"), "0-0");
});
