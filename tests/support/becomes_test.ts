import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { becomes } from "./becomes.ts";

Deno.test("becomes: asks until what is expected is there, and no longer", async () => {
  let asked = 0;
  await becomes(() => Promise.resolve([++asked]), [3]);
  assertEquals(asked, 3);
});

Deno.test("becomes: fails with what was there last instead", async () => {
  let asked = 0;
  const error = await assertRejects(() => becomes(() => [++asked], [0], { timeoutMs: 30 }));
  assertStringIncludes(error.message, `${asked}`);
  assertStringIncludes(error.message, "0");
});

Deno.test("becomes: fails with the error of who is asked", async () => {
  const ask = () => Promise.reject(new Error("nothing answers"));
  await assertRejects(() => becomes<number>(ask, 1), Error, "nothing answers");
});
