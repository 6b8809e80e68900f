import { assert, assertEquals } from "@std/assert";
import { readSettings } from "../../src/settings/settings.ts";
import { openTracing, type TracedDelivery, type Tracing } from "../../src/tracing/mod.ts";
import { Collector } from "../support/collector.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { Logged } from "../support/logged.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { newTrace } from "./traces.ts";

const ENTRY: TracedDelivery = { source: "stream", id: "7-1", size: 12 };
const SECRET = "s3cret-of-the-collector";

function open(endpoint: string, env: Readonly<Record<string, string>> = {}): Tracing {
  const variables: Record<string, string> = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...env };
  const settings = readSettings((name) => variables[name]);
  return openTracing(settings, { version: "1.2.3", nodeId: "node1" })!;
}

const outcomes = ({ spans }: Tracing) => Object.fromEntries(spans);

Deno.test("openTracing: is off without a collector, and while the runtime's own OpenTelemetry is on", () => {
  const options = { version: "1.2.3", nodeId: "node1" };
  const openWith = (env: Record<string, string>) =>
    openTracing(readSettings((name) => env[name]), options);
  assertEquals(openWith({}), undefined);
  const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1" };
  assertEquals(openWith({ ...collector, OTEL_DENO: "true" }), undefined);
  assert(openWith(collector) !== undefined);
});

Deno.test("OtlpTracing: a span goes on with the trace, and says what was delivered", async () => {
  await using collector = new Collector();
  const began = Date.now();
  const trace = newTrace();
  {
    await using tracing = open(`${collector.url}/`, {
      OTEL_SERVICE_NAME: "push",
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${SECRET}`,
    });
    tracing.begin(trace.traceparent, ENTRY)!.end(3);
    tracing.begin(trace.traceparent, { source: "channel", id: undefined, size: 5 })!.end(1);
  }
  const [entry, message] = collector.spans;
  assertEquals([entry!.traceId, entry!.parentSpanId], [trace.traceId, trace.spanId]);
  assertEquals([entry!.name, entry!.kind, entry!.flags], ["deliver my_stream", 5, 0x301]);
  assert(/^[0-9a-f]{16}$/.test(entry!.spanId) && entry!.spanId !== message!.spanId);
  assertEquals(entry!.attributes, {
    "messaging.system": "keywire",
    "messaging.operation.name": "deliver",
    "messaging.operation.type": "process",
    "messaging.destination.name": "my_stream",
    "messaging.message.id": "7-1",
    "messaging.message.body.size": 12,
    "keywire.source": "stream",
    "keywire.connections": 3,
  });
  assertEquals(message!.name, "deliver my_channel");
  assertEquals("messaging.message.id" in message!.attributes, false);
  const resource = { "service.name": "push", "service.version": "1.2.3" };
  assertEquals(entry!.resource, { ...resource, "service.instance.id": "node1" });
  const [start, end] = [entry!.startTimeUnixNano, entry!.endTimeUnixNano].map(BigInt);
  assert(start! >= BigInt(began) * 1_000_000n && end! >= start!, `${start} ${end}`);
  const [{ path, headers }] = collector.requests as [typeof collector.requests[0]];
  assertEquals([path, headers.get("authorization")], ["/v1/traces", `Bearer ${SECRET}`]);
  assertEquals(headers.get("content-type"), "application/json");
});

Deno.test("OtlpTracing: no span for a trace that is not sampled or malformed, nor without a connection", async () => {
  await using collector = new Collector();
  const tracing = open(collector.url);
  assertEquals(tracing.begin(newTrace("00").traceparent, ENTRY), undefined);
  assertEquals(tracing.begin("00-1-2-01", ENTRY), undefined);
  assertEquals(tracing.begin("", ENTRY), undefined);
  tracing.begin(newTrace().traceparent, ENTRY)!.end(0);
  await tracing[Symbol.asyncDispose]();
  assertEquals([collector.requests.length, tracing.malformed], [0, 2]);
  assertEquals(outcomes(tracing), { sent: 0, failed: 0, omitted: 0 });
});

Deno.test("OtlpTracing: at most 100 spans in any second, in batches; the others are counted", async () => {
  await using collector = new Collector();
  const tracing = open(collector.url);
  const deliver = (count: number) => {
    for (let at = 0; at < count; at++) tracing.begin(newTrace().traceparent, ENTRY)!.end(1);
    return tracing.spans.get("omitted");
  };
  {
    using time = new FakeClock();
    assertEquals(deliver(60), 0);
    time.tick(500);
    assertEquals(deliver(340), 300);
    time.tick(499);
    assertEquals(deliver(1), 301);
    time.tick(1);
    assertEquals(deliver(61), 302);
  }
  await waitFor("the batch of the first second", () => outcomes(tracing).sent === 100);
  await tracing[Symbol.asyncDispose]();
  assertEquals([collector.requests.length, collector.spans.length], [2, 160]);
  assertEquals(outcomes(tracing), { sent: 160, failed: 0, omitted: 302 });
});

Deno.test("OtlpTracing: a collector that is away is logged once, without secrets, and so is its return", async () => {
  await using logged = await Logged.start("tracing");
  const port = freePort();
  const tracing = open(`http://127.0.0.1:${port}`, {
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=${SECRET}`,
  });
  const failed = async (count: number) => {
    tracing.begin(newTrace().traceparent, ENTRY)!.end(1);
    await waitFor("the failure", () => outcomes(tracing).failed === count);
  };
  await failed(1);
  await failed(2);
  {
    await using _collector = new Collector(port);
    tracing.begin(newTrace().traceparent, ENTRY)!.end(1);
    await waitFor("the span", () => outcomes(tracing).sent === 1);
  }
  await tracing[Symbol.asyncDispose]();
  const lines = [...logged.lines("warning"), ...logged.lines("info")];
  assertEquals(lines.length, 2, lines.join("\n"));
  assert(/collector at http:\S+ does not take spans, which are lost: .+/.test(lines[0]!), lines[0]);
  assert(/takes spans again after [\d.]+ s$/.test(lines[1]!), lines[1]);
  assert(!lines.join().includes(SECRET));
});

Deno.test("OtlpTracing: a collector that redirects gets no secret sent elsewhere, and counts as away", async () => {
  await using logged = await Logged.start("tracing");
  await using other = new Collector();
  await using collector = new Collector();
  collector.answer = () => Response.redirect(`${other.url}/v1/traces`, 307);
  {
    await using tracing = open(collector.url, {
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=${SECRET}`,
    });
    tracing.begin(newTrace().traceparent, ENTRY)!.end(1);
  }
  assertEquals([collector.requests.length, other.requests.length], [1, 0]);
  assert(/which are lost: it answers with HTTP 307$/.test(logged.lines("warning")[0]!));
});

Deno.test("OtlpTracing: a collector that hangs holds neither deliveries nor memory up", async () => {
  await using _logged = await Logged.start("tracing");
  await using collector = new Collector();
  const { promise: hangs, resolve: release } = Promise.withResolvers<void>();
  collector.answer = async () => {
    await hangs;
    return Response.json({});
  };
  const tracing = open(collector.url);
  tracing.begin(newTrace().traceparent, ENTRY)!.end(1);
  await waitFor("the request", () => collector.requests.length === 1);
  for (let at = 0; at < 10_000; at++) tracing.begin(newTrace().traceparent, ENTRY)!.end(1);
  assertEquals([outcomes(tracing).sent, outcomes(tracing).failed], [0, 0]);
  release();
  await waitFor("the answer", () => outcomes(tracing).sent! >= 1);
  await tracing[Symbol.asyncDispose]();
  const { sent, omitted } = outcomes(tracing);
  assertEquals([sent! + omitted!, collector.spans.length], [10_001, sent]);
});
