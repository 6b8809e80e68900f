/**
 * What was left of V8's heap after the last full collection, in MB, as `--trace-gc` prints it; undefined
 * before the first. What comes between two of them is litter.
 */
export function heapAfterCollection(log: string): number | undefined {
  const lines = log.matchAll(/Mark-Compact (?:\(\w+\) )?[\d.]+ \([\d.]+\) -> ([\d.]+) \(/g);
  const last = [...lines].at(-1);
  return last && Number(last[1]);
}
