/** How the process is told to stop, and what it still waits for. */

/**
 * How long the process waits for its last words at most, in milliseconds: less than a drain leaves, so
 * that it has ended by its deadline.
 */
const LAST_WORDS_MS = 400;

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

/** Waits for `tasks` for a moment: a dead Redis, or a stalled peer, delays nothing. */
export async function lastWords(tasks: readonly PromiseLike<unknown>[]): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise((resolve) => timer = setTimeout(resolve, LAST_WORDS_MS));
  await Promise.race([Promise.all(tasks), deadline]);
  clearTimeout(timer);
}
