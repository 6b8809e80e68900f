import type { Source } from "../core/position.ts";
import { parseTraceparent, type TraceContext } from "../core/traceparent.ts";
import type { OtlpExporter } from "./otlp_exporter.ts";
import { otlpAttributes, unixNanos } from "./otlp_span.ts";
import type { DeliverySpan, SpanOutcome, TracedDelivery, Tracing } from "./port.ts";

export interface OtlpTracingOptions {
  readonly exporter: OtlpExporter;
  /** The names of the channel and of the stream. */
  readonly destinations: Readonly<Record<Source, string>>;
}

/** At most so many spans are recorded in any second. */
const SPANS_A_SECOND = 100;
/** The kind of a span in OTLP that handles a message which was published asynchronously. */
const CONSUMER = 5;
/** Flags of a span in OTLP: it is sampled, and its parent is in another process. */
const SAMPLED_REMOTE = 0x301;

/** Records deliveries that belong to sampled traces, at a limited rate. */
export class OtlpTracing implements Tracing {
  readonly #options: OtlpTracingOptions;
  /** When each of the last spans was recorded, of a clock that never goes back: a ring. */
  readonly #recordedAt = new Float64Array(SPANS_A_SECOND).fill(-Infinity);
  #recorded = 0;
  #malformed = 0;

  constructor(options: OtlpTracingOptions) {
    this.#options = options;
  }

  get malformed(): number {
    return this.#malformed;
  }

  get spans(): ReadonlyMap<SpanOutcome, number> {
    return this.#options.exporter.spans;
  }

  begin(traceparent: string, delivery: TracedDelivery): DeliverySpan | undefined {
    const context = parseTraceparent(traceparent);
    if (context === undefined) this.#malformed++;
    if (context?.isSampled !== true) return undefined;
    const began = { ms: Date.now(), at: performance.now() };
    return {
      end: (connections) => {
        if (connections > 0) this.#record(context, { ...delivery, connections, began });
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#options.exporter[Symbol.asyncDispose]();
  }

  #record({ traceId, parentId }: TraceContext, delivery: RecordedDelivery): void {
    const { exporter, destinations } = this.#options;
    const now = performance.now();
    if (!this.#mayRecord(now)) return exporter.omit();
    const { source, id, size, connections, began } = delivery;
    exporter.add({
      traceId,
      spanId: randomSpanId(),
      parentSpanId: parentId,
      flags: SAMPLED_REMOTE,
      name: `deliver ${destinations[source]}`,
      kind: CONSUMER,
      startTimeUnixNano: unixNanos(began.ms),
      endTimeUnixNano: unixNanos(began.ms, now - began.at),
      attributes: otlpAttributes({
        "messaging.system": "keywire",
        "messaging.operation.name": "deliver",
        "messaging.operation.type": "process",
        "messaging.destination.name": destinations[source],
        "messaging.message.id": id,
        "messaging.message.body.size": size,
        "keywire.source": source,
        "keywire.connections": connections,
      }),
    });
  }

  #mayRecord(now: number): boolean {
    const oldest = this.#recorded % SPANS_A_SECOND;
    if (now - this.#recordedAt[oldest]! < 1_000) return false;
    this.#recordedAt[oldest] = now;
    this.#recorded++;
    return true;
  }
}

interface RecordedDelivery extends TracedDelivery {
  readonly connections: number;
  /** When it began: by the wall clock, and by the one that never goes back, in milliseconds. */
  readonly began: { readonly ms: number; readonly at: number };
}

function randomSpanId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  bytes[0]! |= 1; // An id of zeros alone is none.
  return bytes.toHex();
}
