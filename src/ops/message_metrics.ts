import type { Gateway } from "../gateway/gateway.ts";
import { type MetricSet, samplesBy } from "./metric_set.ts";

/** Messages: what came, what was dropped or missed, what was delivered and how late. */
export function addMessageMetrics(
  metrics: MetricSet,
  { router, history, manager: { scheduler } }: Gateway,
): void {
  metrics.counters("keywire_messages_received_total", {
    help: "Envelopes handed over by the bus.",
    read: () => samplesBy("source", router.counts.receivedFrom),
  });
  metrics.counter(
    "keywire_messages_not_for_this_node_total",
    "Envelopes for no connection here.",
    () => router.counts.notForThisNode,
  );
  metrics.counters("keywire_messages_dropped_total", {
    help: "Malformed envelopes, by what is wrong with them.",
    read: () => samplesBy("reason", router.counts.dropped),
  });
  metrics.counters("keywire_gaps_total", {
    help: "Places where messages may have been lost.",
    read: () => samplesBy("source", router.counts.gaps),
  });
  metrics.counter(
    "keywire_deliveries_total",
    "Messages owed to connections.",
    () => router.counts.delivered,
  );
  metrics.histogram(
    "keywire_delivery_lag_seconds",
    "From the id of a stream's entry, made of Redis's clock, to its write: one entry a turn.",
    router.deliveryLag,
  );
  metrics.counter(
    "keywire_flushes_total",
    "Turns in which connections were written to.",
    () => scheduler.counts.flushes,
  );
  metrics.counter(
    "keywire_flushed_connections_total",
    "Connections that were written to in those turns.",
    () => scheduler.counts.flushed,
  );
  const { window } = history;
  metrics.gauge(
    "keywire_window_bytes",
    "What the window takes, in about bytes, of HISTORY_BYTES.",
    () => window.bytes,
  );
  metrics.gauge(
    "keywire_window_messages",
    "Envelopes in the window.",
    () => window.end - window.first,
  );
  metrics.gauge(
    "keywire_window_age_seconds",
    "Since when the oldest envelope of the window is here; 0 where there is none.",
    () => window.oldestAt === undefined ? 0 : (performance.now() - window.oldestAt) / 1000,
  );
}
