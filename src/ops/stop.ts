/** How the process is told to stop, and what it still waits for. */
import { getLogger } from "@logtape/logtape";

const log = getLogger(["keywire"]);

/**
 * How long the process waits for its last words at most, in milliseconds: less than a drain leaves, so
 * that it has ended by its deadline.
 */
const LAST_WORDS_MS = 400;
/** How long the end of the process itself may take, in milliseconds. */
const EXIT_MS = 100;

/** A node that can be drained. */
export interface Drainable {
  readonly isDraining: boolean;
  startDraining(): void;
}

/** Resolves at the first SIGTERM or SIGINT, with `node` draining; the second one exits at once. */
export function stopSignal(node: Drainable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    Deno.addSignalListener(signal, () => {
      if (node.isDraining) Deno.exit(0);
      node.startDraining();
      resolve();
    });
  }
  return promise;
}

/**
 * Ends the process with code 0 just before `durationMs` are over, whatever is still to be done then: on
 * a machine without CPU to spare all of it is late. A drain without time has its last words still.
 */
export function exitBy(durationMs: number): void {
  setTimeout(() => {
    log.warn("Stopped by the deadline: not every client could be told to come back");
    Deno.exit(0);
  }, Math.max(durationMs - EXIT_MS, LAST_WORDS_MS + EXIT_MS));
}

/** Waits for `tasks` for a moment: a dead Redis, or a stalled peer, delays nothing. */
export async function lastWords(tasks: readonly PromiseLike<unknown>[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise((resolve) => timer = setTimeout(resolve, LAST_WORDS_MS));
  await Promise.race([Promise.all(tasks), deadline]);
  clearTimeout(timer);
}
