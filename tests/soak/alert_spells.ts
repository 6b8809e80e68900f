import type { Samples } from "../faults/prometheus.ts";

/** A time during which one alert of one instance was pending, or fired. */
export interface AlertSpell {
  readonly state: "pending" | "firing";
  /** Which of the alert's series it was: its labels, but for its name and state. */
  readonly labels: string;
  /** When Prometheus saw it first, in seconds since 1970. */
  readonly from: number;
  readonly seconds: number;
}

/** What became of an alert. */
export interface AlertRecord {
  readonly name: string;
  readonly spells: readonly AlertSpell[];
  readonly fired: boolean;
}

/**
 * Reads Prometheus's own record of alerts, the series `ALERTS`, which has a sample for each alert that
 * was pending or fired at each look at the rules, `everySeconds` apart.
 */
export function alertRecords(
  names: readonly string[],
  alerts: readonly Samples[],
  everySeconds: number,
): AlertRecord[] {
  return names.map((name) => {
    const spells = alerts.filter(({ metric }) => metric.alertname === name)
      .flatMap((series) => spellsOf(series, everySeconds))
      .sort((a, b) => a.from - b.from);
    return { name, spells, fired: spells.some(({ state }) => state === "firing") };
  });
}

/** One line: `KeywireDown: pending 15 s at 30.2 min (instance 10.0.0.1:9088)`. */
export function alertLine({ name, spells }: AlertRecord, start: number): string {
  const told = spells.map(({ state, labels, from, seconds }) =>
    `${state === "firing" ? "fired" : "pending"} ${seconds} s ` +
    `at ${((from - start) / 60).toFixed(1)} min (${labels})`
  );
  return `${name}: ${told.length === 0 ? "silent" : told.join("; ")}`;
}

function spellsOf({ metric, at }: Samples, everySeconds: number): AlertSpell[] {
  const { alertstate, alertname: _, __name__, job: ___, severity: ____, ...others } = metric;
  const labels = Object.entries(others).map(([name, value]) => `${name} ${value}`).join(", ");
  const spells: { from: number; looks: number; last: number }[] = [];
  for (const time of at) {
    const spell = spells.at(-1);
    // A look that a busy machine left out does not end a spell.
    if (spell === undefined || time - spell.last > 2.5 * everySeconds) {
      spells.push({ from: time, looks: 1, last: time });
    } else {
      spell.looks++;
      spell.last = time;
    }
  }
  const state = alertstate === "firing" ? "firing" : "pending";
  return spells.map(({ from, last }) => ({
    state,
    labels,
    from,
    seconds: Math.round(last - from + everySeconds),
  }));
}
