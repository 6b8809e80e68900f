import { assertEquals } from "@std/assert";
import { readMembers } from "../../src/core/read_members.ts";

Deno.test("readMembers: reads the members of an object", () => {
  assertEquals(readMembers('{"a":1,"b":[null]}'), { a: 1, b: [null] });
});

Deno.test("readMembers: finds none in anything else, nor in what is no JSON", () => {
  for (const text of ["null", "1", '"type"', "true", "", "{", '{"a":}', "undefined"]) {
    assertEquals(readMembers(text), {}, text);
  }
});
