/** Commands that may be repeated. */
import { setTimeout as delay } from "node:timers/promises";
import { BusUnavailable } from "./port.ts";

/** Sends one command, once; rejects with {@link BusUnavailable}. */
export type Ask = (command: string, ...args: (string | number)[]) => Promise<unknown>;

/** How long a command may take, repeats included. */
const DEADLINE_MS = 2_000;
/** How long to wait before a repeat. */
const PAUSE_MS = 20;
/** Refusals that are over as soon as Redis, or a connection to its master, is back. */
const PASSING = /^(?:CLOSED|LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)\b/;

/**
 * Sends a command again until it is answered, for about 2 s. Only for one that does no harm when it
 * is done twice.
 * @throws {BusUnavailable} with the outcome of all attempts together
 */
export async function repeatUntilAnswered(
  ask: Ask,
  [command, ...args]: readonly [string, ...(string | number)[]],
): Promise<unknown> {
  const until = performance.now() + DEADLINE_MS;
  for (let isUnknown = false;;) {
    try {
      return await ask(command, ...args);
    } catch (error) {
      if (!(error instanceof BusUnavailable)) throw error;
      const { outcome, reason } = error;
      isUnknown ||= outcome === "unknown";
      if (isFinal(error) || performance.now() + PAUSE_MS > until) {
        throw new BusUnavailable(isUnknown ? "unknown" : "refused", reason);
      }
    }
    await delay(PAUSE_MS);
  }
}

/** Whether Redis refused a command for a reason that does not pass by itself. */
export function isFinal({ outcome, reason }: BusUnavailable): boolean {
  return outcome === "refused" && !PASSING.test(reason);
}
