import { Buffer } from "node:buffer";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { decodeEnvelope } from "../../src/bus/decode_envelope.ts";

/** Whether bytes are UTF-8, by the platform's strict decoder. */
function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

Deno.test("decodeEnvelope: text is given as it is, a replacement character of its own too", () => {
  for (const text of ["", '{"recipients":["ä€😀"]}', "\ufffd", "a\ufffdä", "\ufeffa", "\0"]) {
    assertEquals(decodeEnvelope(Buffer.from(text)), { text });
  }
});

Deno.test("decodeEnvelope: bytes that are not UTF-8 are no text, whatever is wrong with them", () => {
  const wrong = [[0xff], [0x61, 0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]];
  for (const bytes of wrong) {
    assertEquals(decodeEnvelope(Buffer.from(bytes)), { text: "", malformed: "not_utf8" });
  }
  fc.assert(fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => {
    assertEquals(decodeEnvelope(Buffer.from(bytes)).malformed === undefined, isText(bytes));
  }));
});

Deno.test("decodeEnvelope: only the bytes between the bounds count", () => {
  const bytes = Buffer.from([0xff, 0x61, 0x62, 0xff]);
  assertEquals(decodeEnvelope(bytes, 1, 3), { text: "ab" });
  assertEquals(decodeEnvelope(bytes, 1).malformed, "not_utf8");
});
