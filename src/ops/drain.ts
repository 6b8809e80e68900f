import { CLOSE } from "../core/close_codes.ts";
import type { Connection } from "../core/delivery/connection.ts";

export interface DrainOptions {
  /** Live: connections leave it as they end. */
  readonly connections: ReadonlyMap<Connection, unknown>;
  /** How long the closing is spread over, in milliseconds. */
  readonly durationMs: number;
  /** Tells a client to close by itself and come back after `retryMs`. */
  readonly sendReconnect: (connection: Connection, retryMs: number) => void;
}

/** How much longer a client that was told may take to close by itself, in milliseconds. */
const COURTESY_MS = 500;
/** How much of the time is kept for last words and for the end of a busy process, in milliseconds. */
const CLOSING_MS = 700;

/**
 * Sends every client away, spread evenly over the time there is, so that the nodes that stay are not
 * stormed. Resolves when none is left, or when the time is over.
 */
export async function drain(
  { connections, durationMs, sendReconnect }: DrainOptions,
): Promise<void> {
  const order = shuffle([...connections.keys()]);
  const end = performance.now() + durationMs;
  const spread = Math.max(0, durationMs - COURTESY_MS - CLOSING_MS);
  const times = order.map((_, index) => Math.round(spread * (index + 1) / order.length));
  order.forEach((connection, index) => sendReconnect(connection, times[index]!));
  const start = performance.now();
  let next = 0;
  while (connections.size > 0 && performance.now() < end) {
    const elapsed = performance.now() - start;
    for (; next < order.length && times[next]! + COURTESY_MS <= elapsed; next++) {
      order[next]!.close(CLOSE.restart);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  for (const connection of [...connections.keys()]) connection.close(CLOSE.restart);
}

/** Resolves when every peer is gone: an exit before that would cut connections off. */
export async function waitForClose(slots: { readonly inUse: number }): Promise<void> {
  while (slots.inUse > 0) await new Promise((resolve) => setTimeout(resolve, 10));
}

function shuffle<T>(items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}
