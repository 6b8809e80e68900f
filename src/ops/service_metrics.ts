import type { Bus } from "../bus/port.ts";
import type { Rebalancing } from "../gateway/rebalancing.ts";
import type { Revalidation } from "../gateway/revalidation.ts";
import type { LookUps } from "../keystores/mod.ts";
import type { NodeRegistry, Presence } from "../presence/port.ts";
import type { Health } from "./health.ts";
import { type MetricSet, type Sample, samplesBy } from "./metric_set.ts";

/** What the metrics of Redis, the key store and presence are read from. */
export interface ServiceMetricsOptions {
  readonly bus: Pick<Bus, "failures" | "stats">;
  readonly health: Health;
  readonly presence: Pick<Presence, "refusals" | "stats" | "unhealthyReason"> & NodeRegistry;
  readonly lookUps: Pick<LookUps, "counts">;
  readonly revalidation: Pick<Revalidation, "counts">;
  readonly rebalancing: Pick<Rebalancing, "sent">;
}

/** The services that a node depends on: Redis, the key store, and presence over all nodes. */
export function addServiceMetrics(metrics: MetricSet, options: ServiceMetricsOptions): void {
  addHealthMetrics(metrics, options.health);
  addBusMetrics(metrics, options);
  addStoreMetrics(metrics, options);
  addPresenceMetrics(metrics, options);
}

function addHealthMetrics(metrics: MetricSet, health: Health): void {
  metrics.gauge("keywire_bus_up", "1 while every source is known to be heard.", () => {
    return health.readiness().bus === "up" ? 1 : 0;
  });
  metrics.gauge("keywire_store_up", "1 when the key store gave its last answer.", () => {
    return health.readiness().store === "up" ? 1 : 0;
  });
  metrics.gauges("keywire_part_up", {
    help: "1 while a part of the node is well: channel, stream, writes, notices, store.",
    read: () =>
      Object.entries(health.readiness().parts).map(([part, { status }]) => [
        { part },
        status === "up" ? 1 : 0,
      ]),
  });
}

function addBusMetrics(
  metrics: MetricSet,
  { bus, presence }: ServiceMetricsOptions,
): void {
  metrics.counters("keywire_redis_connection_failures_total", {
    help: "Connections to Redis that ended, and attempts that failed, by class of reason.",
    read: () =>
      [...bus.stats.connectionFailures, ...presence.stats.connectionFailures].map((
        { connection, reason, count },
      ) => [{ connection, reason }, count]),
  });
  metrics.gauges("keywire_redis_probe_round_trip_seconds", {
    help: "How long the last probe took to come back; absent before it has.",
    read: () => optional(bus.stats.probeSeconds),
  });
  metrics.gauges("keywire_stream_lag_seconds", {
    help: "From the last id that was read to the stream's; absent where that is not known.",
    read: () => optional(bus.stats.streamLagSeconds),
  });
  metrics.counters("keywire_publishes_failed_total", {
    help: "Publishes that Redis refused or did not confirm.",
    read: () => samplesBy("reason", bus.failures.publishes),
  });
  metrics.counters("keywire_notices_failed_total", {
    help: "Notices of the bus that Redis refused or did not confirm.",
    read: () => samplesBy("reason", bus.failures.notices),
  });
}

function addStoreMetrics(
  metrics: MetricSet,
  { lookUps, revalidation }: ServiceMetricsOptions,
): void {
  const { seconds, batchSizes } = lookUps.counts;
  metrics.counters("keywire_look_ups_total", {
    help: "Look-ups of keys, by result.",
    read: () => samplesBy("result", lookUps.counts.results),
  });
  metrics.gauge(
    "keywire_look_ups_pending",
    "Look-ups without an answer yet.",
    () => lookUps.counts.open,
  );
  metrics.histogram(
    "keywire_look_up_batch_seconds",
    "How long the key store took for a question, answered or not.",
    seconds,
  );
  metrics.histogram("keywire_look_up_batch_size", "How many keys a question had.", batchSizes);
  metrics.counters("keywire_revalidation_rounds_total", {
    help: "Rounds that looked the keys of open connections up again.",
    read: () => {
      const { completed, failed } = revalidation.counts;
      return [[{ result: "completed" }, completed], [{ result: "failed" }, failed]];
    },
  });
  metrics.counters("keywire_revalidation_closed_total", {
    help: "Connections that such a round closed: the key is gone, or its recipients changed.",
    read: () => {
      const { revoked, changed } = revalidation.counts;
      return [[{ reason: "revoked" }, revoked], [{ reason: "changed" }, changed]];
    },
  });
}

function addPresenceMetrics(
  metrics: MetricSet,
  { presence, rebalancing }: ServiceMetricsOptions,
): void {
  metrics.gauge("keywire_presence_up", "1 while it is known who is there, on all nodes.", () => {
    return presence.unhealthyReason === undefined ? 1 : 0;
  });
  metrics.gauge(
    "keywire_nodes",
    "Nodes that hold a lease, this one too; 0 while that is not known.",
    () => presence.nodes().then((nodes) => nodes.length, () => 0),
  );
  metrics.counter(
    "keywire_presence_refusals_total",
    "Notices and records of presence that were refused, and tried again.",
    () => presence.refusals,
  );
  metrics.counters("keywire_presence_notices_total", {
    help: "Notices that this node published: a recipient is there, or is gone.",
    read: () => samplesBy("kind", presence.stats.notices),
  });
  metrics.counter(
    "keywire_presence_reaped_nodes_total",
    "Nodes that vanished, whose recipients this node removed.",
    () => presence.stats.reapedNodes,
  );
  metrics.counter(
    "keywire_rebalanced_connections_total",
    "Connections that were told to go to another node, where REBALANCE is 1.",
    () => rebalancing.sent,
  );
}

function optional(value: number | undefined): readonly Sample[] {
  return value === undefined ? [] : [[{}, value]];
}
