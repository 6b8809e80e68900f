import type { Tracing } from "../tracing/mod.ts";
import { type MetricSet, samplesBy } from "./metric_set.ts";

/** Spans of deliveries. */
export function addTracingMetrics(
  metrics: MetricSet,
  tracing: Pick<Tracing, "spans" | "malformed">,
): void {
  metrics.counters("keywire_spans_total", {
    help: "Spans of deliveries: sent, failed to be sent, or omitted as too many.",
    read: () => samplesBy("outcome", tracing.spans),
  });
  metrics.counter(
    "keywire_traceparents_malformed_total",
    "Messages that name a trace in a way that cannot be read.",
    () => tracing.malformed,
  );
}
