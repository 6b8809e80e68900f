import type { Bus } from "../bus/port.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { NodeReport } from "../presence/port.ts";
import type { Health } from "./health.ts";

/** What a {@link createNodeReport} reads. */
export interface NodeReportOptions {
  readonly gateway: Pick<Gateway, "isDraining" | "manager" | "router">;
  readonly bus: Pick<Bus, "unhealthyReason" | "stats">;
  readonly health: Pick<Health, "readiness">;
  readonly version: string;
}

/** What this node says of itself to the others; rates are those since it was asked before. */
export function createNodeReport(
  { gateway, bus, health, version }: NodeReportOptions,
): () => NodeReport {
  const since = Date.now();
  let before = { at: performance.now(), received: 0, delivered: 0 };
  let readySince: number | undefined;
  let rates = { messagesPerSecond: 0, deliveriesPerSecond: 0 };
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
    const trouble = bus.unhealthyReason;
    const { streamLagSeconds } = bus.stats;
    readySince = health.readiness().status === "ready" ? readySince ?? at : undefined;
    return {
      version,
      since,
      connections: gateway.manager.connections.size,
      ...rates,
      ...readySince === undefined ? {} : { readySeconds: Math.floor((at - readySince) / 1000) },
      ...streamLagSeconds === undefined ? {} : { lagMs: Math.round(streamLagSeconds * 1000) },
      ...trouble === undefined ? {} : { trouble },
      ...gateway.isDraining ? { isDraining: true } : {},
    };
  };
}
