/** Tracing adds this node's part, a span for a delivery, to traces that backends have begun. */
import type { Source } from "../core/position.ts";

/** What is delivered. Nothing in it names a recipient. */
export interface TracedDelivery {
  readonly source: Source;
  /** The id of the stream's entry; undefined for a message of the channel. */
  readonly id: string | undefined;
  /** The size of what each connection is sent, in bytes. */
  readonly size: number;
}

/** A delivery that has begun and that its backend traces. */
export interface DeliverySpan {
  /** It was written to so many connections; with none of them it leaves no span. Called once. */
  end(connections: number): void;
}

/** What became of spans, for the metrics. */
export type SpanOutcome = "sent" | "failed" | "omitted";

/** Where deliveries are told of. Nothing here throws, or waits. */
export interface Tracing extends AsyncDisposable {
  /**
   * Begins the span of a delivery.
   * @param traceparent as the backend wrote it: where it is malformed, or the trace is not recorded, there
   * is no span
   */
  begin(traceparent: string, delivery: TracedDelivery): DeliverySpan | undefined;
  /** How many spans were sent, were lost since they could not be, or were left out as too many. */
  readonly spans: ReadonlyMap<SpanOutcome, number>;
  /** How many `traceparent` could not be read. */
  readonly malformed: number;
}
