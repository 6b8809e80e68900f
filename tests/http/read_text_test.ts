import { assertEquals } from "@std/assert";
import { readBodyText } from "../../src/http/read_text.ts";

const post = (body: BodyInit) => new Request("http://gateway/", { method: "POST", body });

Deno.test("readBodyText: a body up to the limit, in bytes of UTF-8", async () => {
  assertEquals(await readBodyText(post("é"), 2), "é");
  assertEquals(await readBodyText(post("éa"), 2), undefined);
  assertEquals(await readBodyText(new Request("http://gateway/"), 0), "");
});

Deno.test("readBodyText: characters that are cut between two chunks are whole", async () => {
  const bytes = new TextEncoder().encode("€");
  const body = ReadableStream.from([bytes.slice(0, 1), bytes.slice(1)]);
  assertEquals(await readBodyText(post(body as BodyInit), 3), "€");
});

Deno.test("readBodyText: gives a body up as soon as it proves too large", async () => {
  let read = 0;
  const endless = new ReadableStream({
    pull(controller) {
      read++;
      controller.enqueue(new Uint8Array(10));
    },
  }, { highWaterMark: 0 });
  assertEquals(await readBodyText(post(endless), 25), undefined);
  assertEquals(read <= 5, true, `${read} chunks were read`);
});
