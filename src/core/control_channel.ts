/**
 * The name of the channel on which nodes that share `prefix` speak with each other.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(controlChannel("keywire"), "{keywire}:control");
 * ```
 */
export function controlChannel(prefix: string): string {
  return `{${prefix}}:control`;
}
