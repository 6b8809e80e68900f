/**
 * A function that calls `say` at most once in `ms` milliseconds, so that a fault that every look-up
 * meets does not flood the log. `say` is told how often it was called for since, and the last detail.
 */
export function rateLimited(
  ms: number,
  say: (times: number, detail: string) => void,
): (detail?: string) => void {
  let times = 0;
  let last = -Infinity;
  return (detail = "") => {
    times++;
    const now = performance.now();
    if (now - last < ms) return;
    last = now;
    say(times, detail);
    times = 0;
  };
}
