import { assertEquals } from "@std/assert";
import { problem } from "../../src/http/problem.ts";
import { REFUSED } from "../../src/http/refusals.ts";

Deno.test("problem: is an RFC 9457 problem that no cache keeps", async () => {
  const response = problem(REFUSED.unknownKey);
  assertEquals(response.status, 403);
  assertEquals(response.headers.get("Content-Type"), "application/problem+json");
  assertEquals(response.headers.get("Cache-Control"), "no-store");
  assertEquals(await response.json(), { status: 403, detail: REFUSED.unknownKey.detail });
});

Deno.test("problem: says when to come back, where that makes sense", () => {
  assertEquals(problem(REFUSED.address).headers.get("Retry-After"), "10");
  assertEquals(problem(REFUSED.unknownKey).headers.has("Retry-After"), false);
});

Deno.test("problem: a wrong version of the handshake names the right one", () => {
  assertEquals(problem(REFUSED.version).headers.get("Sec-WebSocket-Version"), "13");
});

Deno.test("REFUSED: what will pass says when, and every reason is one line that begins alike", () => {
  for (const refusal of Object.values(REFUSED)) {
    const passes = refusal.status === 429 || refusal.status === 503;
    assertEquals("retryAfter" in refusal, passes, refusal.detail);
    assertEquals(
      /^Cannot (connect|resume|post) [^\n]+$/.test(refusal.detail),
      true,
      refusal.detail,
    );
  }
});
