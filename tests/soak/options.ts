/** The command line of `deno task soak`, and of `deno task soak:alerts`. */
import { parseArgs } from "node:util";

export interface SoakOptions {
  /** How long the load lasts, in minutes. */
  readonly minutes: number;
}

/**
 * Reads `--minutes`.
 * @param byDefault how many there are without it
 * @throws when it is wrong: the message says what would be right.
 */
export function readOptions(args: string[], byDefault = 10): SoakOptions {
  const { values } = parseArgs({
    args,
    options: { minutes: { type: "string", default: `${byDefault}` } },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) {
    throw new Error(`Cannot read --minutes: ${values.minutes} is no number above 0`);
  }
  return { minutes };
}
