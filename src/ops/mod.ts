/** The room of operations: metrics, health, start, serve, drain. */
export * from "./crash.ts";
export * from "./event_loop_delay.ts";
export * from "./health.ts";
export * from "./metrics.ts";
export * from "./node_report.ts";
export * from "./ops_api.ts";
export * from "./ops_page.ts";
export * from "./run_until_stopped.ts";
export * from "./serve.ts";
export * from "./simulate_restart.ts";
export * from "./startup.ts";
