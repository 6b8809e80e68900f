import { assertEquals } from "@std/assert";
import { cutMember } from "../../src/core/cut_member.ts";

const cut = (text: string) => cutMember(text, "recipients");

Deno.test("cutMember: the member goes with its comma and the space beside that, wherever it stands", () => {
  assertEquals(cut('{"recipients":[],"a":1}'), '{"a":1}');
  assertEquals(cut('{"a":1,"recipients":[]}'), '{"a":1}');
  assertEquals(cut('{"a":1 , "recipients" : [ ] , "b":2}'), '{"a":1 , "b":2}');
  assertEquals(cut('{"recipients":[]}'), "{}");
});

Deno.test("cutMember: a value is passed as a whole, whatever stands in it", () => {
  for (const value of ['"}],{\\""', '[{"a":[1,2]},"]"]', "-1.5e10", "null", '{"recipients":1}']) {
    assertEquals(cut(`{"a":${value},"recipients":${value},"b":2}`), `{"a":${value},"b":2}`);
  }
});

Deno.test("cutMember: members of inner objects, and texts, are no such member", () => {
  assertEquals(cut('{"a":{"recipients":[]},"b":"recipients"}'), "none");
});

Deno.test("cutMember: an escaped spelling of the name counts", () => {
  assertEquals(cut('{"\\u0072ecipients":[],"a":1}'), '{"a":1}');
  assertEquals(cut('{"recipients":[],"recipient\\u0073":[]}'), "several");
});

Deno.test("cutMember: a value as deep as a text allows needs no stack", () => {
  const deep = "[".repeat(200_000) + "]".repeat(200_000);
  assertEquals(cut(`{"a":${deep},"recipients":[]}`), `{"a":${deep}}`);
});
