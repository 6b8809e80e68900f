/** The room of tracing: spans of deliveries, to an OpenTelemetry collector. */
export * from "./open_tracing.ts";
export * from "./port.ts";
