/** What the runs gave, and their medians. */
import type { Measured } from "./generator.ts";

/** One round of one subject in one scenario. */
export interface Result {
  readonly subject: string;
  readonly scenario: string;
  readonly round: number;
  /** By name: `deliveriesPerSecond`, `cpuUs`, `serverBusy`, `kbPerConnection` and so on. */
  readonly values: Readonly<Record<string, number>>;
}

/** The file of results: what was measured, on what. */
export interface Results {
  readonly machine: string;
  readonly seconds: number;
  readonly results: readonly Result[];
  /** What could not be measured: subject (and scenario), and why. */
  readonly missing: readonly { readonly what: string; readonly why: string }[];
}

/** Figures per delivery (per message, where nothing is delivered) out of what was seen. */
export function figures(seen: Measured): Record<string, number> {
  const units = seen.deliveries || seen.messages;
  return {
    deliveriesPerSecond: units / seen.seconds,
    cpuUs: seen.serverCpu / units * 1e6,
    serverBusy: seen.serverCpu / seen.seconds,
    /** The generator and Redis share a core. */
    otherBusy: (seen.generatorCpu + seen.redisCpu) / seen.seconds,
    /** What neither the server nor idling used of the server's core: the machine was disturbed. */
    disturbed: Math.max(0, seen.coreCpu - seen.serverCpu) / seen.seconds,
    p50Ms: seen.p50Us / 1000,
    p99Ms: seen.p99Us / 1000,
  };
}

/** The middle one of the values (the mean of the middle two), undefined of none. */
export function median(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The median over the rounds of a value, undefined where it was not measured. */
export function medianOf(
  results: readonly Result[],
  { subject, scenario, value }: { subject: string; scenario: string; value: string },
): number | undefined {
  return median(
    results
      .filter((result) => result.subject === subject && result.scenario === scenario)
      .flatMap((result) => result.values[value] ?? []),
  );
}
