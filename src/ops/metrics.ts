import { Counter, Gauge, Registry } from "prom-client";
import type { Gateway } from "../gateway/gateway.ts";
import type { Presence } from "../presence/port.ts";
import type { Health } from "./health.ts";

/**
 * The metrics in Prometheus' text format. The message path counts in plain numbers; they are read
 * here when Prometheus asks. No label ever holds a key or a recipient.
 */
export function createMetrics(
  gateway: Gateway,
  health: Health,
  presence: Pick<Presence, "refusals" | "unhealthyReason">,
): Registry {
  const registry = new Registry();
  const { manager, router, hub, limits } = gateway;

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

  gauge("connections", "Connections that hear what comes.", () => manager.connections.size);
  gauge("recipients", "Distinct recipients that are connected here.", () => hub.recipients);
  gauge(
    "connection_slots_used",
    "Slots in use, of MAX_CONNECTIONS: connections, look-ups and zombies.",
    () => limits.inUse,
  );
  gauge("backlog_bytes", "What waits for slow clients, in about bytes.", () => {
    let sum = 0;
    for (const connection of manager.connections.keys()) sum += connection.backlog;
    return sum;
  });
  gauge("bus_up", "1 while every source is known to be heard.", () => {
    return health.readiness().bus === "up" ? 1 : 0;
  });
  new Gauge({
    name: "keywire_part_up",
    help: "1 while a part of the node is well: channel, stream, writes, notices, store.",
    labelNames: ["part"],
    registers: [registry],
    collect() {
      for (const [part, { status }] of Object.entries(health.readiness().parts)) {
        this.set({ part }, status === "up" ? 1 : 0);
      }
    },
  });
  gauge("store_up", "1 when the key store gave its last answer.", () => {
    return health.readiness().store === "up" ? 1 : 0;
  });
  counter("messages_received", "Envelopes handed over by the bus.", () => router.counts.received);
  counter("messages_not_for_this_node", "Envelopes for no connection here.", () => {
    return router.counts.notForThisNode;
  });
  counter("deliveries", "Messages owed to connections.", () => router.counts.delivered);
  counter(
    "client_texts_ignored",
    "Texts of clients that mean nothing.",
    () => manager.counts.ignored,
  );
  counter(
    "presence_refusals",
    "Notices and records of presence that were refused, and tried again.",
    () => presence.refusals,
  );
  gauge("presence_up", "1 while it is known who is there, on all nodes.", () => {
    return presence.unhealthyReason === undefined ? 1 : 0;
  });
  counters("gaps", "Places where messages may have been lost.", "source", router.counts.gaps);
  counters("messages_dropped", "Malformed envelopes.", "reason", router.counts.dropped);
  const { publishes } = health.bus.failures;
  counters(
    "publishes_failed",
    "Publishes that Redis refused or did not confirm.",
    "reason",
    publishes,
  );
  counters("connects_refused", "Refused connects.", "status", manager.counts.refused);
  counters("connections_closed", "Connections that ended.", "code", manager.counts.closed);
  return registry;
}
