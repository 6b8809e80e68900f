/**
 * The members of the object that a text of JSON holds: none where it holds anything else, or is no JSON.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(readMembers('{"type":"answer"}').type, "answer");
 * assertEquals(readMembers("null").type, undefined);
 * ```
 */
export function readMembers(text: string): Readonly<Partial<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {};
  }
}
