/** For how long an alert was pending and fired, in seconds. */
export interface AlertTimes {
  readonly name: string;
  readonly pending: number;
  readonly firing: number;
}

/** A series that counts the evaluations at which an alert was in a state. */
export interface AlertCount {
  /** Holds `alertname` and `alertstate`. */
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The times of every alert of `names`, by counts of evaluations that are `seconds` apart. */
export function alertTimes(
  names: readonly string[],
  counts: readonly AlertCount[],
  seconds: number,
): AlertTimes[] {
  const timeOf = (name: string, state: string) =>
    (counts.find(({ metric }) => metric.alertname === name && metric.alertstate === state)
      ?.value ?? 0) * seconds;
  return names.map((name) => ({
    name,
    pending: timeOf(name, "pending"),
    firing: timeOf(name, "firing"),
  }));
}
