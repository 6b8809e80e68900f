import { type Client, versionOf } from "./client.ts";
import { type Result, TRIALS } from "./trial.ts";

/** Writes the results as a table of Markdown. */
export function writeTable(results: readonly Result[]): string {
  const head = ["tried", "by", ...TRIALS];
  const rows = results.map(({ client, outcomes }) => [
    titleOf(client),
    client.way === "v1" ? "WebSocket" : "SSE",
    ...TRIALS.map((trial) => outcomes.get(trial) ?? ""),
  ]);
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

/** A client's name and version, as the tables have it. */
export function titleOf(client: Client): string {
  return `${client.name} ${versionOf(client)}`.trim();
}
