/** A span as OTLP writes it in JSON: numbers of 64 bits are texts, ids are hex. */

/** A value of an attribute. */
export type AttributeValue = string | number;

/** A span that is over. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly flags: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
}

/** A name and its value. */
export interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
}

/** Writes attributes; those that are undefined are left out. */
export function otlpAttributes(
  values: Readonly<Record<string, AttributeValue | undefined>>,
): OtlpAttribute[] {
  return Object.entries(values).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const written = typeof value === "string" ? { stringValue: value } : { intValue: `${value}` };
    return [{ key, value: written }];
  });
}

/** Writes a time in milliseconds since 1970, and what of it is parts of a millisecond. */
export function unixNanos(ms: number, moreMs = 0): string {
  return String(BigInt(ms) * 1_000_000n + BigInt(Math.round(moreMs * 1_000_000)));
}
