import type { Locator } from "playwright-core";
import { waitFor } from "./wait.ts";

/**
 * Waits until exactly one element is at `place`, and its text is `expected`, or matches it where that
 * is a pattern: what a page shows comes later than what brings it about.
 * @throws with what it shows instead, when it does not within `timeoutMs` (30 s)
 */
export async function shows(
  place: Locator,
  expected: string | RegExp,
  { timeoutMs = 30_000 }: { timeoutMs?: number } = {},
): Promise<void> {
  const fits = (text: string) =>
    typeof expected === "string" ? text === expected : expected.test(text);
  let shown: string[] = [];
  await waitFor(
    () => `${place} to show ${quote(expected)}, it shows ${shown.map(quote).join() || "nothing"}`,
    async () => {
      // A page that loads anew has no document for a moment.
      shown = await place.allTextContents().catch(() => []);
      return shown.length === 1 && fits(shown[0]!);
    },
    timeoutMs,
  );
}

function quote(text: string | RegExp): string {
  return typeof text === "string" ? JSON.stringify(text) : `${text}`;
}
