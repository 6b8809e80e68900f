import { isDeepStrictEqual } from "node:util";
import { assertEquals } from "@std/assert";

/**
 * Waits until `probe` gives what is expected, by deep and strict equality, asked every 20 ms. For what
 * another process, a page or a timer brings about, where an assertion at once may come too early.
 * @throws with the difference to what it gives after `timeoutMs` (30 s), when it is still another
 */
export async function becomes<T>(
  probe: () => T | Promise<T>,
  expected: T,
  { message, timeoutMs = 30_000 }: { message?: string; timeoutMs?: number } = {},
): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (isDeepStrictEqual(value, expected)) return;
    if (performance.now() > end) return assertEquals(value, expected, message);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
