/** Waits for events instead of sleeping for luck. */

/**
 * Resolves with the first truthy value of `probe`, asked every 20 ms.
 * @throws when there is none within `timeoutMs` (10 s), naming `what`.
 */
export async function waitFor<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeoutMs = 10_000,
): Promise<NonNullable<T>> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value) return value as NonNullable<T>;
    if (performance.now() > end) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/**
 * A TCP port of 127.0.0.1 that is free now. It lies below those that the system gives to outgoing
 * connections, as one of thousands of clients would soon take it, and by 10,000 below them, as a
 * Redis of a Cluster listens there, too.
 */
export function freePort(): number {
  for (;;) {
    const port = 10_000 + Math.floor(Math.random() * 12_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
