import { assertEquals } from "@std/assert";
import { type Body, BodyReader } from "../../src/http/body_reader.ts";
import { waitFor } from "../support/wait.ts";

function post(body: BodyInit, headers: Record<string, string> = {}): Request {
  return new Request("http://localhost/", { method: "POST", body, headers });
}

/** A body that brings `first` and then nothing, and whether it was given up. */
function endless(first: string): { body: ReadableStream<Uint8Array>; isCancelled: () => boolean } {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(first)),
    cancel: () => {
      cancelled = true;
    },
  });
  return { body, isCancelled: () => cancelled };
}

Deno.test("BodyReader: reads a body byte for byte, a byte order mark too", async () => {
  const bodies = new BodyReader();
  for (const text of ["", "a", "\ufeffä😀\r\n\u0000", "x".repeat(100_000)]) {
    assertEquals(await bodies.read(post(text), 1_000_000), { text });
  }
  assertEquals(await bodies.read(new Request("http://localhost/"), 10), { text: "" });
  assertEquals(bodies.reading, 0);
});

Deno.test("BodyReader: refuses bytes that are not UTF-8", async () => {
  for (const bytes of [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
    const body = await new BodyReader().read(post(new Uint8Array(bytes)), 10);
    assertEquals(body, { fault: "not_utf8" });
  }
});

Deno.test("BodyReader: gives a body up as soon as it proves too large", async () => {
  const bodies = new BodyReader();
  assertEquals(await bodies.read(post("12345"), 5), { text: "12345" });
  assertEquals(await bodies.read(post("123456"), 5), { fault: "too_large" });
  const { body, isCancelled } = endless("123456");
  assertEquals(await bodies.read(post(body), 5), { fault: "too_large" });
  await waitFor("the body to be given up", isCancelled);
  const declared = endless("1");
  const request = post(declared.body, { "Content-Length": "6" });
  assertEquals(await bodies.read(request, 5), { fault: "too_large" });
  await waitFor("the declared body to be given up", declared.isCancelled);
});

Deno.test("BodyReader: gives a body up that does not arrive in time", async () => {
  const bodies = new BodyReader({ deadlineMs: 20 });
  const { body, isCancelled } = endless("{");
  assertEquals(await bodies.read(post(body), 5), { fault: "too_slow" });
  await waitFor("the body to be given up", isCancelled);
  assertEquals(bodies.reading, 0);
});

Deno.test("BodyReader: refuses what comes beyond its bounds, and takes it again later", async () => {
  const bodies = new BodyReader({ deadlineMs: 200, maxBodies: 2, maxHeldBytes: 10 });
  const slow: Promise<Body>[] = [];
  for (let at = 0; at < 2; at++) slow.push(bodies.read(post(endless("123").body), 100));
  assertEquals(await bodies.read(post("a"), 100), { fault: "busy" });
  assertEquals(bodies.reading, 2);
  for (const body of slow) assertEquals(await body, { fault: "too_slow" });
  assertEquals(await bodies.read(post("12345678901"), 100), { fault: "busy" });
  assertEquals(await bodies.read(post("1234567890"), 100), { text: "1234567890" });
});

Deno.test("BodyReader: says that a body was cut", async () => {
  const body = new ReadableStream<Uint8Array>({ start: (it) => it.error(new Error("gone")) });
  assertEquals(await new BodyReader().read(post(body), 10), { fault: "cut" });
});
