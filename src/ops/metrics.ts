import type { Registry } from "prom-client";
import type { Gateway } from "../gateway/gateway.ts";
import type { Settings } from "../settings/settings.ts";
import { addClientMetrics } from "./client_metrics.ts";
import { addMessageMetrics } from "./message_metrics.ts";
import { MetricSet } from "./metric_set.ts";
import { addProcessMetrics, type ProcessMetricsOptions } from "./process_metrics.ts";
import { addServiceMetrics, type ServiceMetricsOptions } from "./service_metrics.ts";
import type { Tracing } from "../tracing/mod.ts";
import { addTracingMetrics } from "./tracing_metrics.ts";

/** What the metrics of a node are read from. */
export interface MetricsOptions extends ServiceMetricsOptions, ProcessMetricsOptions {
  readonly gateway: Gateway;
  readonly settings: Pick<Settings, "maxConnections">;
  /** Undefined: tracing is off. */
  readonly tracing: Tracing | undefined;
}

/**
 * The metrics in Prometheus' text format. The message path counts in plain numbers; they are read
 * here when Prometheus asks. Every series with labels is there from the start, so that its first
 * event shows as an increase. No label ever holds a key or a recipient.
 */
export function createMetrics(options: MetricsOptions): Registry {
  const metrics = new MetricSet();
  addProcessMetrics(metrics, options);
  addClientMetrics(metrics, options.gateway, options.settings);
  addMessageMetrics(metrics, options.gateway);
  addServiceMetrics(metrics, options);
  if (options.tracing !== undefined) addTracingMetrics(metrics, options.tracing);
  return metrics.registry;
}
