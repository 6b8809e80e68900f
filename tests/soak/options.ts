/** The command line of `deno task soak`. */
import { parseArgs } from "node:util";

export interface SoakOptions {
  /** How long the load lasts, in minutes. */
  readonly minutes: number;
}

/**
 * Reads `--minutes` (10).
 * @throws when it is wrong: the message says what would be right.
 */
export function readOptions(args: string[]): SoakOptions {
  const { values } = parseArgs({ args, options: { minutes: { type: "string", default: "10" } } });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) {
    throw new Error(`Cannot read --minutes: ${values.minutes} is no number above 0`);
  }
  return { minutes };
}
