import type { Bus } from "../bus/port.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { NodeFigures, NodeReport, ReasonCounts } from "../presence/port.ts";
import type { Settings } from "../settings/settings.ts";
import type { EventLoopDelay } from "./event_loop_delay.ts";
import type { Health } from "./health.ts";

/** What a {@link createNodeReport} reads. */
export interface NodeReportOptions {
  readonly gateway: Pick<Gateway, "isDraining" | "limits" | "manager" | "router">;
  readonly bus: Pick<Bus, "stats" | "unhealthyReason">;
  readonly health: Pick<Health, "readiness">;
  readonly eventLoopDelay: Pick<EventLoopDelay, "worstMs">;
  readonly settings: Pick<Settings, "maxConnections">;
  readonly version: string;
}

/** What costs something to read is read so often at most, in seconds; a lease is renewed each 3 s. */
const EVERY_S = 2.5;

/** What this node says of itself to the others; rates are those since it was asked before. */
export function createNodeReport(options: NodeReportOptions): () => NodeReport {
  const { gateway, bus, health, version } = options;
  const since = Date.now();
  let before = { at: performance.now(), received: 0, delivered: 0 };
  let readySince: number | undefined;
  let rates = { messagesPerSecond: 0, deliveriesPerSecond: 0 };
  let measured = measure(options);
  let measuredAt = before.at;
  return () => {
    const { received, delivered } = gateway.router.counts;
    const at = performance.now();
    const seconds = (at - before.at) / 1000;
    // Asked twice at once there is nothing to measure.
    if (seconds >= 1) {
      rates = {
        messagesPerSecond: Math.round((received - before.received) / seconds),
        deliveriesPerSecond: Math.round((delivered - before.delivered) / seconds),
      };
      before = { at, received, delivered };
    }
    if (at - measuredAt >= EVERY_S * 1000) {
      measured = measure(options);
      measuredAt = at;
    }
    const trouble = bus.unhealthyReason;
    const { streamLagSeconds } = bus.stats;
    const state = readState(health);
    readySince = state.status === "ready" ? readySince ?? at : undefined;
    return {
      version,
      since,
      connections: gateway.manager.connections.size,
      ...rates,
      ...readySince === undefined ? {} : { readySeconds: Math.floor((at - readySince) / 1000) },
      ...streamLagSeconds === undefined ? {} : { lagMs: Math.round(streamLagSeconds * 1000) },
      ...trouble === undefined ? {} : { trouble },
      ...gateway.isDraining ? { isDraining: true } : {},
      figures: { ...measured, ...state },
    };
  };
}

/** What must not be late, and costs nothing. */
function readState(
  health: NodeReportOptions["health"],
): Pick<NodeFigures, "status" | "partsDown"> {
  const { status, parts } = health.readiness();
  const down = Object.entries(parts).filter(([, part]) => part.status === "down");
  return { status, partsDown: down.map(([name]) => name) };
}

function measure(
  { gateway: { limits, manager, router }, bus, eventLoopDelay, settings }: NodeReportOptions,
): Omit<NodeFigures, "status" | "partsDown"> {
  const { probeSeconds } = bus.stats;
  return {
    loopDelayMs: Math.round(eventLoopDelay.worstMs),
    memoryBytes: Deno.memoryUsage().rss,
    slots: limits.inUse,
    slotsMax: settings.maxConnections,
    backlogBytes: manager.backlogBytes,
    ...probeSeconds === undefined ? {} : { probeMs: Math.round(probeSeconds * 10_000) / 10 },
    refused: occurred(manager.counts.refused),
    dropped: occurred(router.counts.dropped),
    closed: occurred(manager.counts.closed),
    gaps: occurred(router.counts.gaps),
  };
}

function occurred(counts: ReadonlyMap<string | number, number>): ReasonCounts {
  return Object.fromEntries([...counts].filter(([, count]) => count > 0));
}
