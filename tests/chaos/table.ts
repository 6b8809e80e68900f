import type { PhaseReport } from "./chaos.ts";

const HEAD = [
  "phase",
  "messages",
  "deliveries",
  "resumed",
  "not recovered",
  "gaps",
  "losses told",
  "silent losses",
  "doubles",
  "out of order",
];

/** The report for people, a line a phase and one of the sums. */
export function table(title: string, phases: readonly PhaseReport[]): string {
  const rows = phases.map(({ words, ...phase }) => [
    phase.messages,
    phase.deliveries,
    words.recovered,
    words["not recovered"],
    words.gap,
    phase.lossesTold,
    phase.silentLosses,
    phase.doubles,
    phase.disorders,
  ]);
  const sums = rows[0]!.map((_, column) => rows.reduce((sum, row) => sum + row[column]!, 0));
  const names = [...phases.map(({ name }) => name), "in all"];
  const lines = [HEAD, ...[...rows, sums].map((row, index) => [names[index]!, ...row.map(String)])];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  const text = lines.map((line) =>
    line.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)
    ).join("  ")
  );
  return [title, ...text].join("\n");
}
