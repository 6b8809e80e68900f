/** Waits for events instead of sleeping for luck. */

/**
 * Resolves with the first truthy value of `probe`, asked every 20 ms.
 * @throws when there is none within `timeoutMs` (20 s: a machine may be busy), naming `what`; a function is asked then, for
 * what tells how far it came.
 */
export async function waitFor<T>(
  what: string | (() => string),
  probe: () => T | Promise<T>,
  timeoutMs = 20_000,
): Promise<NonNullable<T>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value as NonNullable<T>;
    if (performance.now() > end) {
      const missing = typeof what === "string" ? what : what();
      throw new Error(`Waited ${timeoutMs} ms in vain for ${missing}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Lets a fault last, or the world go on, for `ms` milliseconds. What a test waits for is an event. */
export function last(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Below the ports that the system gives to outgoing connections, as one of thousands of clients would
 * soon take one, and by 10,000 below them, as a Redis of a Cluster listens there, too.
 */
const FIRST_PORT = 10_000;
const RANGES = 66;
const RANGE = 150;

/** Held by listening on its first port, so that no other test file, nor a run beside this one, has it. */
const range = claimRange();
let drawn = 0;

/**
 * A port of 127.0.0.1 on which nothing listens, and which no other test draws: not before something
 * listens there, nor while what did is started again.
 */
export function freePort(): number {
  for (;;) {
    const port = range + 1 + drawn++ % (RANGE - 1);
    const listener = listen(port);
    if (listener === undefined) continue;
    listener.close();
    return port;
  }
}

function claimRange(): number {
  for (;;) {
    const first = FIRST_PORT + RANGE * Math.floor(Math.random() * RANGES);
    const listener = listen(first);
    if (listener === undefined) continue;
    listener.unref();
    return first;
  }
}

/** Undefined where another listens. */
function listen(port: number): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
  }
}
