import { getLogger } from "@logtape/logtape";
import { Tally } from "../core/tally.ts";
import { OutageLog } from "../logging/outage_log.ts";
import { otlpAttributes, type OtlpSpan } from "./otlp_span.ts";
import type { SpanOutcome } from "./port.ts";

export interface OtlpExporterOptions {
  /** The collector, such as `http://localhost:4318`. */
  readonly endpoint: string;
  /** Headers of each request; their values are secrets. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** This node, as attributes of the resource. */
  readonly resource: Readonly<Record<string, string>>;
  /** The instrumentation that records them. */
  readonly scope: { readonly name: string; readonly version: string };
}

/** How often spans are sent, in milliseconds. */
const SEND_EVERY_MS = 1_000;
/** How long a collector may take, in milliseconds. */
const DEADLINE_MS = 5_000;
/** At most so many spans wait for a slow collector. */
const MAX_WAITING = 1_000;
/** So many lines about outages come at once, then one in so many milliseconds. */
const LOG_BURST = 4;
const LOG_EVERY_MS = 60_000;

const log = getLogger(["keywire", "tracing"]);

/**
 * Sends spans to a collector, by OTLP over HTTP in JSON, one request at a time. Spans that it does not
 * take are dropped: they must not cost memory or delay messages.
 */
export class OtlpExporter implements AsyncDisposable {
  readonly #url: string;
  readonly #options: OtlpExporterOptions;
  readonly #spans = new Tally<SpanOutcome>(["sent", "failed", "omitted"]);
  readonly #outages: OutageLog;
  #waiting: OtlpSpan[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sending: Promise<void> | undefined;

  constructor(options: OtlpExporterOptions) {
    const { endpoint } = options;
    this.#options = options;
    this.#url = `${endpoint.replace(/\/+$/, "")}/v1/traces`;
    this.#outages = new OutageLog({
      everyMs: LOG_EVERY_MS,
      burst: LOG_BURST,
      down: (line) =>
        log.warning(
          "The OpenTelemetry collector at {endpoint} does not take spans, which are lost: " +
            "{reason}{more}",
          { endpoint, ...line },
        ),
      up: ({ seconds, more }) =>
        seconds === undefined
          ? log.info("The OpenTelemetry collector at {endpoint} takes spans", { endpoint })
          : log.info(
            "The OpenTelemetry collector at {endpoint} takes spans again after {seconds} s{more}",
            { endpoint, seconds, more },
          ),
    });
  }

  /** What became of spans. */
  get spans(): ReadonlyMap<SpanOutcome, number> {
    return this.#spans.counts;
  }

  /** Sends `span` within a second or so. Never throws. */
  add(span: OtlpSpan): void {
    if (this.#waiting.length >= MAX_WAITING) return this.omit();
    this.#waiting.push(span);
    this.#sendLater();
  }

  /** Counts a span that is not recorded. */
  omit(): void {
    this.#spans.add("omitted");
  }

  /** Sends what waits. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    await this.#sending;
    await this.#send();
    clearTimeout(this.#timer);
    this.#outages[Symbol.dispose]();
  }

  #sendLater(): void {
    this.#timer ??= setTimeout(async () => {
      await (this.#sending = this.#send());
      this.#sending = undefined;
      this.#timer = undefined;
      if (this.#waiting.length > 0) this.#sendLater();
    }, SEND_EVERY_MS);
  }

  async #send(): Promise<void> {
    const spans = this.#waiting;
    if (spans.length === 0) return;
    this.#waiting = [];
    const reason = await this.#post(spans);
    this.#spans.add(reason === undefined ? "sent" : "failed", spans.length);
    if (reason === undefined) this.#outages.reportUp();
    else this.#outages.reportDown(reason);
  }

  /** Returns why the collector did not take them; undefined where it did. */
  async #post(spans: readonly OtlpSpan[]): Promise<string | undefined> {
    const { headers, resource, scope } = this.#options;
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: [...headers, ["Content-Type", "application/json"]] as [string, string][],
        body: JSON.stringify({
          resourceSpans: [{
            resource: { attributes: otlpAttributes(resource) },
            scopeSpans: [{ scope, spans }],
          }],
        }),
        // The headers are for this collector alone.
        redirect: "manual",
        signal: AbortSignal.timeout(DEADLINE_MS),
      });
      await response.body?.cancel();
      return response.ok ? undefined : `it answers with HTTP ${response.status}`;
    } catch (error) {
      const { name, message } = error as Error;
      return name === "TimeoutError" ? `it gave no answer in ${DEADLINE_MS} ms` : message;
    }
  }
}
