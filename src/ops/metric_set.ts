import { type Metric, Registry } from "prom-client";
import type { Buckets } from "../core/buckets.ts";

/** One value of a metric, and its labels. */
export type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

/** How a metric that has labels, or no value at times, is described and read. */
export interface SampledMetric {
  readonly help: string;
  /** Its series when Prometheus asks; those of a counter are there from the start. */
  readonly read: () => readonly Sample[];
}

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * The metrics of a node: plain numbers that are kept elsewhere, read when Prometheus asks. The
 * library's own metrics keep the numbers themselves, which would cost the message path.
 */
export class MetricSet {
  /** Writes all metrics in Prometheus' text format. */
  readonly registry = new Registry();

  /** A value that goes up and down. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void {
    this.#add("gauge", { name, help }, async () => [{ labels: {}, value: await read() }]);
  }

  /** Values that go up and down, by labels; what `read` leaves out is absent. */
  gauges(name: string, { help, read }: SampledMetric): void {
    this.#add("gauge", { name, help }, () => read().map(toValue));
  }

  /** A count since the start. */
  counter(name: string, help: string, read: () => number): void {
    this.#add("counter", { name, help }, () => [{ labels: {}, value: read() }]);
  }

  /** Counts since the start, by labels. */
  counters(name: string, { help, read }: SampledMetric): void {
    this.#add("counter", { name, help }, () => read().map(toValue));
  }

  /** Values by size. */
  histogram(name: string, help: string, buckets: Buckets): void {
    const bucket = (le: number | string, value: number): Value => ({
      metricName: `${name}_bucket`,
      labels: { le },
      value,
    });
    this.#add("histogram", { name, help }, () => [
      ...buckets.cumulative.map((count, at) => bucket(buckets.bounds[at]!, count)),
      bucket("+Inf", buckets.count),
      { metricName: `${name}_sum`, labels: {}, value: buckets.sum },
      { metricName: `${name}_count`, labels: {}, value: buckets.count },
    ]);
  }

  #add(
    type: "counter" | "gauge" | "histogram",
    { name, help }: { readonly name: string; readonly help: string },
    read: () => readonly Value[] | Promise<readonly Value[]>,
  ): void {
    const get = async () => ({ name, help, type, values: await read(), aggregator: "sum" });
    const metric = { name, help, type, get, reset: () => {} };
    this.registry.registerMetric(metric as unknown as Metric);
  }
}

/** Counts by one label, as samples. */
export function samplesBy(
  label: string,
  counts: ReadonlyMap<string | number, number>,
): readonly Sample[] {
  return [...counts].map(([value, count]) => [{ [label]: String(value) }, count]);
}

function toValue([labels, value]: Sample): Value {
  return { labels, value };
}
