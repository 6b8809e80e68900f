import { getLogger } from "@logtape/logtape";
import type { Gateway } from "../gateway/mod.ts";
import { drain } from "./drain.ts";

const log = getLogger(["keywire"]);

/** How long connects are refused, and clients sent away, in milliseconds. */
const RESTART_MS = 2_000;

/**
 * Does to clients what a restart of the process does: sends all of them away and refuses connects for
 * two seconds. The bus and the history stay, as Redis would. Does nothing while one is under way.
 */
export async function simulateRestart(gateway: Gateway): Promise<void> {
  const { manager } = gateway;
  if (gateway.isRestarting) return;
  log.info("Simulating a restart: {connections} connections are sent away", {
    connections: manager.connections.size,
  });
  gateway.isRestarting = true;
  await Promise.all([
    drain({
      connections: manager.connections,
      durationMs: RESTART_MS,
      sendReconnect: (connection, retryMs) => manager.sendReconnect(connection, retryMs),
    }),
    new Promise((resolve) => setTimeout(resolve, RESTART_MS)),
  ]);
  gateway.isRestarting = false;
}
