import { FORMATS } from "../core/format.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { REFUSED } from "../http/refusals.ts";
import type { Settings } from "../settings/settings.ts";
import { type MetricSet, samplesBy } from "./metric_set.ts";

const STATUSES = new Map<string, number>(
  Object.values(REFUSED).map(({ reason, status }) => [reason, status]),
);

/** Clients: who is connected, who was refused, how connections ended, what resumptions came to. */
export function addClientMetrics(
  metrics: MetricSet,
  gateway: Gateway,
  { maxConnections }: Pick<Settings, "maxConnections">,
): void {
  const { manager, hub, limits, resumptions } = gateway;
  metrics.gauge(
    "keywire_connections",
    "Connections that hear what comes.",
    () => manager.connections.size,
  );
  metrics.gauges("keywire_transport_connections", {
    help: "The same by transport: v1 and plain are WebSockets.",
    read: () => {
      const counts = new Map<string, number>(FORMATS.map(({ name }) => [name, 0]));
      for (const { format } of manager.connections.keys()) {
        counts.set(format.name, counts.get(format.name)! + 1);
      }
      return samplesBy("transport", counts);
    },
  });
  metrics.gauge(
    "keywire_recipients",
    "Distinct recipients that are connected here.",
    () => hub.recipients,
  );
  metrics.gauge(
    "keywire_connection_slots_used",
    "Slots in use, of MAX_CONNECTIONS: connections, look-ups, and peers that are not gone yet.",
    () => limits.inUse,
  );
  metrics.gauge(
    "keywire_connection_slots_without_connection",
    "Those of them without a connection: look-ups, and peers that are not gone yet.",
    () => limits.inUse - manager.connections.size,
  );
  metrics.gauge("keywire_connection_slots_max", "MAX_CONNECTIONS.", () => maxConnections);
  metrics.gauge(
    "keywire_backlog_bytes",
    "What waits for slow clients, in about bytes.",
    () => manager.backlogBytes,
  );
  metrics.counter("keywire_sent_bytes_total", "What clients were sent, in about bytes.", () => {
    let sum = manager.counts.sentBefore;
    for (const connection of manager.connections.keys()) sum += connection.sent;
    return sum;
  });
  metrics.counters("keywire_connects_total", {
    help: "Connections that were opened.",
    read: () => samplesBy("transport", manager.counts.opened),
  });
  metrics.counters("keywire_connects_refused_total", {
    help: "Connects that were refused, by reason and HTTP status.",
    read: () =>
      [...manager.counts.refused].map(([reason, count]) => [
        { reason, status: String(STATUSES.get(reason)) },
        count,
      ]),
  });
  metrics.counter(
    "keywire_upgrades_lost_total",
    "Upgrades that never opened as their peer reset the connection: each keeps a descriptor.",
    () => manager.counts.upgradesLost,
  );
  metrics.counters("keywire_connections_closed_total", {
    help: "Connections that ended, by close code: 4408 is too slow, 4429 too many texts.",
    read: () => samplesBy("code", manager.counts.closed),
  });
  metrics.counter(
    "keywire_client_texts_ignored_total",
    "Texts of clients that mean nothing.",
    () => manager.counts.ignored,
  );
  metrics.counters("keywire_resumes_total", {
    help: "Clients that brought a cursor, by what became of it.",
    read: () => samplesBy("outcome", resumptions.counts.outcomes),
  });
  metrics.gauge(
    "keywire_resumes_pending",
    "Clients that wait until it is known what can be done for their cursor.",
    () => resumptions.counts.pending,
  );
  metrics.counter(
    "keywire_replayed_messages_total",
    "Messages that clients were sent out of the window.",
    () => resumptions.counts.replayed,
  );
  metrics.histogram(
    "keywire_replay_seconds",
    "From a client's welcome until it had caught up with all that it missed.",
    resumptions.replaySeconds,
  );
  metrics.gauge(
    "keywire_draining",
    "1 while the node goes away.",
    () => gateway.isDraining ? 1 : 0,
  );
}
