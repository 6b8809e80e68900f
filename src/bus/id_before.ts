const LAST_SEQUENCE = 2n ** 64n - 1n;

/** The id right before `id` among those that a stream can have; `0-0` has none before and stays. */
export function idBefore(id: string): string {
  const dash = id.indexOf("-");
  const [milliseconds, sequence] = [BigInt(id.slice(0, dash)), BigInt(id.slice(dash + 1))];
  if (sequence > 0n) return `${milliseconds}-${sequence - 1n}`;
  return milliseconds > 0n ? `${milliseconds - 1n}-${LAST_SEQUENCE}` : "0-0";
}
