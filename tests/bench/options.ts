/** The command line of `deno task bench`. */
import { parseArgs } from "node:util";
import type { BenchOptions } from "./bench.ts";
import { SCENARIO_NAMES } from "./scenario.ts";
import { MORE_SUBJECTS, SUBJECTS } from "./subjects/mod.ts";

const EVERY = [...SUBJECTS, ...MORE_SUBJECTS];
const NAMES = EVERY.map(({ name }) => name);

/** What `--help` prints. */
export const USAGE = `deno task bench [options]

Measures Keywire beside its peers: some 15 minutes on two idle cores.

  --scenario <names>    some of ${SCENARIO_NAMES.join(", ")} (default: all)
  --subject <names>     some of ${NAMES.join(", ")}
                        (default: ${SUBJECTS.map(({ name }) => name).join(", ")})
  --all                 every subject
  --rounds <n>          how often each is measured; the median counts (default: 3)
  --seconds <s>         how long one measurement takes (default: 4)
  --crowd <n>           clients of each of crowd's five processes (default: what descriptors allow)
  --help                this text

Names are comma-separated. The tables go to stdout; results.json and topic.svg are written to
tests/bench.`;

/**
 * Reads the flags `--scenario`, `--subject` (comma-separated), `--rounds`, `--seconds`, `--all`.
 * @returns undefined where `--help` is asked for
 * @throws when a name or a number is wrong: the message says what would be right.
 */
export function readOptions(args: string[]): Omit<BenchOptions, "say"> | undefined {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: "string" },
      subject: { type: "string" },
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "4" },
      crowd: { type: "string" },
      all: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const names = pick("--subject", values.subject, NAMES);
  const subjects = values.subject === undefined && !values.all
    ? SUBJECTS
    : EVERY.filter(({ name }) => names.includes(name));
  return {
    subjects,
    scenarios: pick("--scenario", values.scenario, SCENARIO_NAMES),
    rounds: positive("--rounds", values.rounds),
    seconds: positive("--seconds", values.seconds),
    ...values.crowd === undefined ? {} : { crowd: positive("--crowd", values.crowd) },
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
