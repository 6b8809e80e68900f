/** The table for docs/benchmarks.md. */
import { medianOf, type Results } from "./result.ts";
import type { Subject } from "./subjects/mod.ts";

/** A server that was busy for less of the window than this was not what limited. */
const BUSY = 0.9;
/** A generator's core that was busier than this, while the server waited, was what limited. */
const OTHER_BUSY = 0.95;

/** Medians, a row for each subject, and below them whatever puts a figure in doubt. */
export function resultTable(run: Results, subjects: readonly Subject[]): string {
  const rows = subjects.map(({ name, title }) => row(run, name, title)).filter((row) => row !== "");
  return [
    "| server | topic: deliveries/s · CPU µs each | list: deliveries/s · µs | " +
    "rate: µs · p50 / p99 ms | one: µs | not mine: µs | KB per idle connection |",
    "|---|---|---|---|---|---|---|",
    ...rows,
    "",
    ...connectLines(run),
    ...run.missing.map(({ what, why }) => `Missing: ${what}: ${why.split("\n")[0]}`),
    ...doubts(run),
  ].join("\n");
}

function row(run: Results, subject: string, title: string): string {
  const of = (scenario: string, value: string) =>
    medianOf(run.results, { subject, scenario, value });
  const throughput = (scenario: string) => {
    const each = of(scenario, "deliveriesPerSecond");
    return each === undefined ? "" : `${thousands(each)} · ${short(of(scenario, "cpuUs"))}`;
  };
  const p50 = of("rate", "p50Ms");
  const cells = [
    throughput("topic"),
    throughput("list"),
    p50 === undefined
      ? ""
      : `${short(of("rate", "cpuUs"))} · ${short(p50)} / ${short(of("rate", "p99Ms"))}`,
    short(of("one", "cpuUs")),
    short(of("not-mine", "cpuUs")),
    short(of("idle", "kbPerConnection")),
  ];
  return cells.every((cell) => cell === "") ? "" : `| ${title} | ${cells.join(" | ")} |`;
}

function connectLines({ results }: Results): string[] {
  const of = (subject: string, value: string) =>
    medianOf(results, { subject, scenario: "connect", value });
  const embedded = of("embedded", "connectCpuUs");
  return (["embedded", "mongodb"] as const).flatMap((subject) => {
    const cpu = of(subject, "connectCpuUs");
    if (cpu === undefined) return [];
    const store = subject === "embedded" ? "the embedded key store" : "MongoDB";
    const share = embedded === undefined ? "" : ` (${short(cpu / embedded)} × the embedded one)`;
    return [
      `10,000 connects with ${store}, presence included: ${short(cpu)} µs of CPU each${share}, ` +
      `${short(of(subject, "redisCpuUs"))} µs of Redis a recipient, ` +
      `${short(of(subject, "queriesPer20"))} queries per 20 connects`,
    ];
  });
}

/** Says where something other than the server may have been what limited. */
function doubts({ results }: Results): string[] {
  const names = new Set(results.map(({ scenario, subject }) => `${scenario}, ${subject}`));
  return [...names].flatMap((what) => {
    const [scenario, subject] = what.split(", ") as [string, string];
    const of = (value: string) => medianOf(results, { subject, scenario, value });
    const [busy, other, disturbed] = ["serverBusy", "otherBusy", "disturbed"].map(of);
    if (busy === undefined || !["topic", "list", "one"].includes(scenario)) return [];
    const waited = busy < BUSY;
    const why = [
      ...waited ? [`the server was busy for ${percent(busy)} only`] : [],
      ...waited && other! > OTHER_BUSY
        ? [`generator and Redis were busy for ${percent(other!)}`]
        : [],
      ...disturbed! > 0.05 ? [`others took ${percent(disturbed!)} of its core`] : [],
    ];
    return why.length === 0 ? [] : [`In doubt: ${what}: ${why.join("; ")}`];
  });
}

function thousands(value: number): string {
  return (Math.round(value / 1000) * 1000).toLocaleString("en");
}

function short(value: number | undefined): string {
  return value === undefined ? "" : `${Number(value.toPrecision(value < 1 ? 2 : 3))}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
