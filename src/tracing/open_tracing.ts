import type { Settings } from "../settings/settings.ts";
import { OtlpExporter } from "./otlp_exporter.ts";
import { OtlpTracing } from "./otlp_tracing.ts";
import type { Tracing } from "./port.ts";

/** What tracing needs beside the settings. */
export interface OpenTracingOptions {
  readonly version: string;
  /** This node, which its spans name. */
  readonly nodeId: string;
}

/** The tracing that the settings ask for; undefined where it is off. */
export function openTracing(
  settings: Pick<
    Settings,
    | "otelExporterOtlpEndpoint"
    | "otelExporterOtlpHeaders"
    | "otelServiceName"
    | "otelDeno"
    | "redisChannel"
    | "redisStream"
  >,
  { version, nodeId }: OpenTracingOptions,
): Tracing | undefined {
  const { otelExporterOtlpEndpoint: endpoint, otelDeno } = settings;
  if (endpoint === undefined || otelDeno) return undefined;
  const exporter = new OtlpExporter({
    endpoint,
    headers: settings.otelExporterOtlpHeaders,
    resource: {
      "service.name": settings.otelServiceName,
      "service.version": version,
      "service.instance.id": nodeId,
    },
    scope: { name: "keywire", version },
  });
  const { redisChannel: channel = "", redisStream: stream = "" } = settings;
  return new OtlpTracing({ exporter, destinations: { channel, stream } });
}
