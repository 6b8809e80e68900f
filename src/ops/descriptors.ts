/** Whether the process may hold as many descriptors as its connections take. */
import type { Settings } from "../settings/settings.ts";

/** For Redis, MongoDB, operators, requests that are refused, and handshakes that were aborted. */
const BESIDES = 256;

/** What the start says of descriptors. */
export interface DescriptorReport {
  /** False where connections would be refused by the system before `MAX_CONNECTIONS` is reached. */
  readonly isEnough: boolean;
  /** One line: what is, and what to set. */
  readonly text: string;
}

/**
 * Compares the descriptor limit with what `MAX_CONNECTIONS` may take.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 *
 * assert(reportDescriptors({ nofile: 1024, maxConnections: 500 }).isEnough);
 * assert(!reportDescriptors({ nofile: 1024, maxConnections: 1000 }).isEnough);
 * ```
 */
export function reportDescriptors(
  { nofile, maxConnections }: Pick<Settings, "nofile" | "maxConnections">,
): DescriptorReport {
  const needed = maxConnections + BESIDES;
  const wanted = `MAX_CONNECTIONS ${maxConnections} takes up to ${needed}`;
  if (nofile === undefined) {
    return {
      isEnough: true,
      text: `Descriptors: the limit is unknown, since NOFILE is unset; ${wanted}`,
    };
  }
  if (nofile >= needed) return { isEnough: true, text: `Descriptors: ${nofile}; ${wanted}` };
  const fits = Math.max(1, nofile - BESIDES);
  return {
    isEnough: false,
    text:
      `Descriptors: ${nofile}, but ${wanted}: raise the limit to that (ulimit -n, LimitNOFILE ` +
      `of the unit, ulimits of the container), or set MAX_CONNECTIONS=${fits}`,
  };
}
