/** The command line of `deno task bench`. */
import { parseArgs } from "node:util";
import type { BenchOptions } from "./bench.ts";
import { SCENARIO_NAMES } from "./scenario.ts";
import { MORE_SUBJECTS, SUBJECTS } from "./subjects/mod.ts";

/**
 * Reads the flags `--scenario`, `--subject` (comma-separated), `--rounds`, `--seconds`, `--all`.
 * @throws when a name or a number is wrong: the message says what would be right.
 */
export function readOptions(args: string[]): Omit<BenchOptions, "say"> {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: "string" },
      subject: { type: "string" },
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "4" },
      all: { type: "boolean", default: false },
    },
  });
  const every = [...SUBJECTS, ...MORE_SUBJECTS];
  const names = pick("--subject", values.subject, every.map(({ name }) => name));
  const subjects = values.subject === undefined && !values.all
    ? SUBJECTS
    : every.filter(({ name }) => names.includes(name));
  return {
    subjects,
    scenarios: pick("--scenario", values.scenario, SCENARIO_NAMES),
    rounds: positive("--rounds", values.rounds),
    seconds: positive("--seconds", values.seconds),
  };
}

function pick(flag: string, text: string | undefined, known: readonly string[]): readonly string[] {
  const wanted = text?.split(",") ?? known;
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Error(`Cannot read ${flag}: ${unknown} is none of ${known.join(", ")}`);
  }
  return wanted;
}

function positive(flag: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`Cannot read ${flag}: ${text} is no number above 0`);
  return number;
}
