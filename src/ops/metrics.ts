import { Counter, Gauge, Registry } from "prom-client";
import type { Gateway } from "../gateway.ts";
import type { Health } from "./health.ts";

/**
 * The metrics in Prometheus' text format. The message path counts in plain numbers; they are read
 * here when somebody asks. No label ever holds a key or a recipient.
 */
export function createMetrics(gateway: Gateway, health: Health): Registry {
  const registry = new Registry();
  const { counts, hub, limits } = gateway;

  const gauge = (name: string, help: string, read: () => number) => {
    new Gauge({
      name: `keywire_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  const counter = (name: string, help: string, read: () => number) => {
    new Counter({
      name: `keywire_${name}_total`,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  const counters = (
    name: string,
    help: string,
    label: string,
    values: ReadonlyMap<unknown, number>,
  ) => {
    new Counter({
      name: `keywire_${name}_total`,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, count] of values) this.inc({ [label]: String(value) }, count);
      },
    });
  };

  gauge("connections", "Connections that hear what comes.", () => gateway.connections.size);
  gauge("recipients", "Distinct recipients that are connected here.", () => hub.recipients);
  gauge(
    "places_taken",
    "Places taken against MAX_CONNECTIONS: connections, look-ups and zombies.",
    () => limits.taken,
  );
  gauge("backlog_bytes", "What waits for slow clients, in about bytes.", () => {
    let sum = 0;
    for (const connection of gateway.connections.keys()) sum += connection.backlog;
    return sum;
  });
  gauge("bus_up", "1 while every source is known to be heard.", () => {
    return health.readiness().bus === "up" ? 1 : 0;
  });
  gauge("store_up", "1 when the key store gave its last answer.", () => {
    return health.readiness().store === "up" ? 1 : 0;
  });
  counter("messages_received", "Envelopes handed over by the bus.", () => counts.received);
  counter("messages_for_nobody", "Envelopes for nobody connected here.", () => counts.forNobody);
  counter("deliveries", "Messages owed to connections.", () => counts.delivered);
  counter("client_texts_ignored", "Texts of clients that mean nothing.", () => counts.ignored);
  counters("gaps", "Places where messages may have been lost.", "source", counts.gaps);
  counters("messages_dropped", "Malformed envelopes.", "reason", counts.dropped);
  counters("connects_refused", "Refused connects.", "status", counts.refused);
  counters("connections_closed", "Connections that ended.", "code", counts.closed);
  return registry;
}
