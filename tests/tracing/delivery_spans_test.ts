/** From a backend's trace to the span of its delivery, over a real Redis and a real node. */
import { assert, assertEquals } from "@std/assert";
import { becomes } from "../support/becomes.ts";
import { openSocket, type SocketClient } from "../support/clients.ts";
import { Collector } from "../support/collector.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";
import { newTrace } from "./traces.ts";

const KEY = "s3cret-key-of-ann";
const BOB = "s3cret-key-of-bob";
const TOKEN = "the-token-of-the-backend-of-the-tests";
const SECRET_HEADER = "the-secret-of-the-collector";

function env(collector: Collector): Record<string, string> {
  return {
    EMBEDDED_KEYS: `${KEY},${BOB}`,
    API_TOKEN: TOKEN,
    DRAIN_SECONDS: "0",
    LOG_LEVEL: "debug",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: `x-token=${SECRET_HEADER}`,
  };
}

async function post(
  { url }: KeywireProcess,
  body: unknown,
  { path = "publish", ...headers }: Record<string, string>,
): Promise<void> {
  const response = await fetch(`${url}/api/${path}`, {
    method: "POST",
    headers: { "Authorization": `Bearer ${TOKEN}`, "Content-Type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
  assertEquals(response.status, 202, await response.text());
}

const envelope = (n: number, more: Record<string, unknown> = {}) => ({
  recipients: [KEY],
  n,
  ...more,
});

/** Waits until `client` has heard the message `n`, and returns it as it was delivered. */
async function heard(client: SocketClient, n: number): Promise<string> {
  return await waitFor(
    `the message ${n}`,
    () => client.frames.find((text) => JSON.parse(text).n === n),
  );
}

Deno.test("Tracing: each way in leads to a span on each node that delivers", async () => {
  await using redis = await startRedis();
  await using collector = new Collector();
  const open = () => startKeywire({ REDIS_URL: redis.url, ...env(collector) });
  await using one = await open();
  await using other = await open();
  using ann = await openSocket(one.url, KEY);
  using _ann = await openSocket(one.url, KEY);
  using bob = await openSocket(other.url, BOB);
  const traces = Array.from({ length: 7 }, () => newTrace());
  const [posted, kept, batch, field, member, own, both] = traces;
  const never = [newTrace("00"), { traceparent: "00-malformed" }];

  await post(one, envelope(1), { traceparent: posted!.traceparent });
  const key = { "Idempotency-Key": "a-key", traceparent: kept!.traceparent };
  for (let repeat = 0; repeat < 2; repeat++) await post(other, envelope(2), key);
  await post(other, [envelope(3), envelope(4)], {
    path: "publish/batch",
    traceparent: batch!.traceparent,
  });
  for (const { traceparent } of never) await post(one, envelope(5), { traceparent });
  const add = (...fields: string[]) => redis.tell("XADD", "my_stream", "*", ...fields);
  const text = (...args: Parameters<typeof envelope>) => JSON.stringify(envelope(...args));
  await add("traceparent", field!.traceparent, "a", "b", "message", text(6));
  await add("message", text(7), "traceparent", "malformed");
  const told = text(8, { traceparent: member!.traceparent });
  await redis.tell("PUBLISH", "my_channel", told);
  await redis.tell("PUBLISH", "my_channel", text(9, { data: { traceparent: own!.traceparent } }));
  await redis.tell("PUBLISH", "my_channel", text(10, { traceparent: 7 }));
  const forBoth = { recipients: [KEY, BOB], n: 11 };
  await post(one, forBoth, { traceparent: both!.traceparent });
  for (const n of [1, 2, 3, 4, 5, 6, 7, 10, 11]) await heard(ann, n);
  await heard(bob, 11);
  assertEquals(await heard(ann, 8), told.replace(`"recipients":["${KEY}"],`, ""));
  assert(!(await heard(ann, 1)).includes("traceparent"), "a header stays out of the message");

  const expected = [posted!, kept!, batch!, batch!, field!, member!, both!, both!];
  await waitFor("the spans", () => collector.spans.length >= expected.length);
  one.kill("SIGTERM");
  other.kill("SIGTERM");
  await Promise.all([one.ended, other.ended]);
  const parents = (list: readonly { traceId: string; parentSpanId: string }[]) =>
    list.map(({ traceId, parentSpanId }) => `${traceId} ${parentSpanId}`).toSorted();
  assertEquals(
    parents(collector.spans),
    parents(expected.map(({ traceId, spanId }) => ({ traceId, parentSpanId: spanId }))),
  );
  /** To how many connections each node delivered what belongs to a trace, by node. */
  const deliveries = ({ traceId }: { traceId: string }) =>
    new Map(
      collector.spans.filter((span) => span.traceId === traceId)
        .map(({ resource, attributes }) => [
          resource["service.instance.id"],
          attributes["keywire.connections"],
        ]),
    );
  const nodes = deliveries(both!);
  assertEquals([...nodes.values()].toSorted(), [1, 2], "each node has a span of its own");
  const [toAnn] = [...nodes].filter(([, connections]) => connections === 2);
  for (const trace of expected.slice(0, 6)) assertEquals([...deliveries(trace)], [toAnn]);
  for (const { headers } of collector.requests) {
    assertEquals(headers.get("x-token"), SECRET_HEADER);
  }
  for (const body of [...collector.bodies, one.log, other.log]) {
    for (const secret of [KEY, BOB, TOKEN, SECRET_HEADER]) assert(!body.includes(secret), body);
  }
});

Deno.test("Tracing: spans that wait at SIGTERM are sent before the exit", async () => {
  await using collector = new Collector();
  await using gateway = await startKeywire(env(collector));
  using ann = await openSocket(gateway.url, KEY);
  const trace = newTrace();
  await post(gateway, envelope(1), { traceparent: trace.traceparent });
  await heard(ann, 1);
  gateway.kill("SIGTERM");
  assertEquals((await gateway.ended).code, 0);
  assertEquals(collector.spans.map(({ traceId }) => traceId), [trace.traceId]);
});

Deno.test("Tracing: a collector that is away is told of once, counted, and delays no message", async () => {
  const collector = new Collector();
  await collector[Symbol.asyncDispose]();
  await using gateway = await startKeywire(env(collector));
  using ann = await openSocket(gateway.url, KEY);
  for (let n = 0; n < 150; n++) {
    await post(gateway, envelope(n), { traceparent: newTrace().traceparent });
  }
  await heard(ann, 149);
  const metrics = await waitFor("the spans to be given up", async () => {
    const metrics = await gateway.metrics();
    const lost = metrics.get('keywire_spans_total{outcome="failed"}')! +
      metrics.get('keywire_spans_total{outcome="omitted"}')!;
    return lost === 150 ? metrics : undefined;
  });
  assertEquals(metrics.get("keywire_deliveries_total"), 150);
  await becomes(() => gateway.log.match(/does not take spans/g)?.length, 1);
});
