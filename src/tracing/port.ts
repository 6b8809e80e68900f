/** Tracing adds a span for each delivery of this node to the trace that its backend has begun. */
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
  /** The message was handed to so many connections; with 0 no span is recorded. Called once. */
  end(connections: number): void;
}

/** What became of spans, for the metrics. */
export type SpanOutcome = "sent" | "failed" | "omitted";

/** Records deliveries. Its methods never throw and never wait. */
export interface Tracing extends AsyncDisposable {
  /**
   * Begins the span of a delivery.
   * @param traceparent as the backend wrote it
   * @returns undefined where it is malformed or its trace is not sampled
   */
  begin(traceparent: string, delivery: TracedDelivery): DeliverySpan | undefined;
  /** How many spans were sent, failed to be sent, or were omitted as too many. */
  readonly spans: ReadonlyMap<SpanOutcome, number>;
  /** How many `traceparent` could not be read. */
  readonly malformed: number;
}
