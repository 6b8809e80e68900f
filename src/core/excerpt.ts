/** As much of a text is shown, in characters. */
const LENGTH = 100;

/**
 * How a text that is no envelope begins, for the log. An envelope may name keys, so that letters and
 * digits are hidden: what is left shows quotes, brackets and commas, and how `recipients` is spelled.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { excerpt } from "./excerpt.ts";
 *
 * assertEquals(excerpt('{“recipients”:["00721b2a"],}'), '{“recipients”:["xxxxxxxx"],}');
 * ```
 */
export function excerpt(text: string): string {
  return text.slice(0, LENGTH).replace(
    /recipients?|[\p{L}\p{M}\p{N}]/giu,
    (match) => match.length > 2 ? match : "x",
  );
}
