/** A collector of OpenTelemetry: takes spans by OTLP over HTTP in JSON, and keeps them. */

/** A span as it arrived, and what sent it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: number;
  readonly flags: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly resource: Readonly<Record<string, string | number>>;
}

interface RawAttribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: string };
}

/** What a collector answers with, once it has read a request. */
export type CollectorAnswer = () => Response | Promise<Response>;

/** Listens on a free port of 127.0.0.1, or on `port`. */
export class Collector implements AsyncDisposable {
  readonly spans: CollectedSpan[] = [];
  /** The bodies of the requests, as they came. */
  readonly bodies: string[] = [];
  readonly requests: { readonly path: string; readonly headers: Headers }[] = [];
  /** How it answers from now on. */
  answer: CollectorAnswer = () => Response.json({});
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(port = 0) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port, onListen: () => {} },
      async (request) => {
        const text = await request.text();
        this.bodies.push(text);
        this.requests.push({ path: new URL(request.url).pathname, headers: request.headers });
        this.#keep(JSON.parse(text));
        return await this.answer();
      },
    );
  }

  /** What belongs into OTEL_EXPORTER_OTLP_ENDPOINT. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  // deno-lint-ignore no-explicit-any -- what came over the wire; the tests look at what is kept
  #keep(body: any): void {
    for (const { resource, scopeSpans } of body.resourceSpans) {
      for (const { spans } of scopeSpans) {
        for (const span of spans) {
          this.spans.push({
            ...span,
            attributes: readAttributes(span.attributes),
            resource: readAttributes(resource.attributes),
          });
        }
      }
    }
  }
}

function readAttributes(attributes: readonly RawAttribute[]): Record<string, string | number> {
  return Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue } }) => [
      key,
      stringValue ?? Number(intValue),
    ]),
  );
}
