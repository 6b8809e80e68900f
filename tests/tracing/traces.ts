/** Traces that tests begin. */

/** A `traceparent` of a trace of its own, sampled unless `flags` says otherwise. */
export function newTrace(flags = "01"): { traceparent: string; traceId: string; spanId: string } {
  const hex = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes)).toHex();
  const [traceId, spanId] = [hex(16), hex(8)];
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, traceId, spanId };
}
