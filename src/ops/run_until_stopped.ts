import { getLogger } from "@logtape/logtape";
import type { Gateway } from "../gateway/gateway.ts";
import type { Settings } from "../settings/settings.ts";
import { drain, waitForClose } from "./drain.ts";
import { exitBy, lastWords, stopSignal } from "./stop.ts";

/** What has to end with the node. */
export interface RunUntilStoppedOptions {
  readonly gateway: Gateway;
  readonly settings: Pick<Settings, "drainSeconds">;
  /** It sends no client away while all of them leave. */
  readonly rebalancing: Disposable;
  readonly presence: AsyncDisposable;
  readonly tracing: AsyncDisposable | undefined;
}

const log = getLogger(["keywire"]);

/** Waits for SIGTERM or SIGINT, drains the node, and ends the process with 0. */
export async function runUntilStopped(options: RunUntilStoppedOptions): Promise<never> {
  const { gateway, settings: { drainSeconds }, rebalancing, presence, tracing } = options;
  const { connections } = gateway.manager;
  await stopSignal(gateway);
  log.info("Draining: {connections} connections, at most {seconds} s", {
    connections: connections.size,
    seconds: drainSeconds,
  });
  rebalancing[Symbol.dispose]();
  exitBy(drainSeconds * 1000);
  await drain({
    connections,
    durationMs: drainSeconds * 1000,
    sendReconnect: (connection, retryMs) => gateway.manager.sendReconnect(connection, retryMs),
  });
  await lastWords([
    presence[Symbol.asyncDispose](),
    waitForClose(gateway.limits),
    tracing?.[Symbol.asyncDispose]() ?? Promise.resolve(),
  ]);
  log.info("Stopped");
  Deno.exit(0);
}
