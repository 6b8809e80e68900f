import { assert, assertEquals, assertMatch } from "@std/assert";
import { CLOSE } from "../../src/core/close_codes.ts";
import { FORMATS } from "../../src/core/format.ts";
import { MALFORMED } from "../../src/core/malformed.ts";
import { RESUME_OUTCOMES } from "../../src/gateway/resumptions.ts";
import { REFUSED } from "../../src/http/refusals.ts";
import { LOOK_UP_RESULTS } from "../../src/keystores/look_ups.ts";
import { FAILURE_CLASSES } from "../../src/redis/failure_class.ts";
import { KNOWN_CODES } from "../../src/redis/redis_fault.ts";
import { becomes } from "../support/becomes.ts";
import { openEvents, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { documentedMetrics } from "../support/metrics_page.ts";
import { promtool } from "../support/promtool.ts";
import { startRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";

const read = async (url: string) => await (await fetch(`${url}/metrics`)).text();

/** With it, the metrics of spans are there. */
const TRACING = { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4318" };

/** Every series of a label that must be there before anything has happened. */
function expectedSeries(): string[] {
  const by = (metric: string, label: string, values: Iterable<string | number>) =>
    [...values].map((value) => `keywire_${metric}{${label}="${value}"}`);
  const transports = FORMATS.map(({ name }) => name);
  const sources = ["channel", "stream"];
  const codes = [...KNOWN_CODES, "other"];
  return [
    ...by("transport_connections", "transport", transports),
    ...by("connects_total", "transport", transports),
    ...Object.values(REFUSED).map(({ reason, status }) =>
      `keywire_connects_refused_total{reason="${reason}",status="${status}"}`
    ),
    ...by("connections_closed_total", "code", Object.values(CLOSE).map(({ code }) => code)),
    ...by("resumes_total", "outcome", RESUME_OUTCOMES),
    ...by("messages_received_total", "source", sources),
    ...by("messages_dropped_total", "reason", Object.keys(MALFORMED)),
    ...by("gaps_total", "source", sources),
    ...by("publishes_failed_total", "reason", codes),
    ...by("notices_failed_total", "reason", codes),
    ...["commands", "subscriber", "reader", "presence"].flatMap((connection) =>
      FAILURE_CLASSES.map((reason) =>
        `keywire_redis_connection_failures_total{connection="${connection}",reason="${reason}"}`
      )
    ),
    ...by("look_ups_total", "result", LOOK_UP_RESULTS),
    ...by("revalidation_rounds_total", "result", ["completed", "failed"]),
    ...by("spans_total", "outcome", ["sent", "failed", "omitted"]),
    ...by("presence_notices_total", "kind", ["connected", "disconnected"]),
    ...by("revalidation_closed_total", "reason", ["revoked", "changed"]),
  ];
}

Deno.test("metrics: every labelled series is there at the start, with 0", async () => {
  await using redis = await startRedis();
  await using gateway = await startKeywire({ REDIS_URL: redis.url, ...TRACING });
  const metrics = await gateway.metrics();
  const expected = expectedSeries();
  assertEquals(expected.filter((series) => metrics.get(series) !== 0), []);
  const others = [...metrics.keys()].filter((series) =>
    series.includes("{") && !expected.includes(series) &&
    !/^keywire_(?:build_info|part_up)\{|_bucket\{le=/.test(series)
  );
  assertEquals(others, [], "series that this test does not know");
});

Deno.test("metrics: promtool has no complaint, and docs/metrics.md names just these", async () => {
  await using redis = await startRedis();
  await using gateway = await startKeywire({ REDIS_URL: redis.url, ...TRACING });
  await waitFor("the first probe and look at the stream", async () => {
    return (await gateway.metrics()).has("keywire_stream_lag_seconds");
  });
  const text = await read(gateway.url);
  assertEquals(await promtool(["check", "metrics"], text), { isGood: true, text: "" });
  const kinds = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name!, kind!]),
  );
  const served = [...text.matchAll(/^# HELP (\S+) (.*)$/gm)]
    .map(([, name, help]) => [name!, kinds.get(name!)!, help!]);
  const documented = documentedMetrics();
  const isHere = (name: string) => !/^process_(?:open|max)_fds$/.test(name);
  assertEquals(
    documented.filter(([name]) => isHere(name)).toSorted(),
    served.toSorted(),
  );
});

Deno.test("metrics: events count, and no key or recipient shows", async () => {
  await using redis = await startRedis();
  const keys = ["secret-key-1", "secret-key-2"];
  await using gateway = await startKeywire({
    REDIS_URL: redis.url,
    REDIS_STREAM: "test_stream",
    EMBEDDED_KEYS: keys.join(),
  });
  const count = async (series: string) => (await gateway.metrics()).get(`keywire_${series}`);
  using socket = await openSocket(gateway.url, keys[0]!, { v1: true });
  using _events = await openEvents(gateway.url, keys[1]!);
  const counts = (series: string, expected: number) => becomes(() => count(series), expected);
  await counts('transport_connections{transport="v1"}', 1);
  await counts('transport_connections{transport="sse"}', 1);
  await counts("connection_slots_used", 2);
  await counts("connection_slots_without_connection", 0);

  const refused = await fetch(`${gateway.url}/events?secret-key-3`);
  await refused.body?.cancel();
  await counts('connects_refused_total{reason="unknown_key",status="403"}', 1);
  const malformed = await fetch(`${gateway.url}/websocket?${keys[0]}`);
  await malformed.body?.cancel();
  await counts('connects_refused_total{reason="handshake",status="400"}', 1);

  const envelope = JSON.stringify({ recipients: [keys[0]], n: 1 });
  await redis.tell("XADD", "test_stream", "*", "message", envelope);
  await waitFor("the delivery", () => socket.events.some(({ type }) => type === "message"));
  await counts("deliveries_total", 1);
  await counts('messages_received_total{source="stream"}', 1);
  await counts("delivery_lag_seconds_count", 1);
  await counts("window_messages", 1);
  assert((await count("sent_bytes_total"))! > 0);
  await counts('look_ups_total{result="found"}', 2);

  using _again = await openSocket(gateway.url, keys[0]!, { v1: true, after: "junk" });
  await counts('resumes_total{outcome="unknown_cursor"}', 1);
  await counts("replay_seconds_count", 1);
  const text = await read(gateway.url);
  for (const key of [...keys, "secret-key-3"]) assert(!text.includes(key), key);
  assertMatch(text, /^keywire_build_info\{version="[^"]+",deno="[^"]+"\} 1$/m);
});

Deno.test("metrics: a Redis that goes counts by connection and reason", async () => {
  await using redis = await startRedis();
  await using gateway = await startKeywire({ REDIS_URL: redis.url });
  await redis.kill();
  await waitFor("the failures", async () => {
    const metrics = await gateway.metrics();
    return ["commands", "subscriber", "reader", "presence"].every((connection) => {
      const name = `keywire_redis_connection_failures_total{connection="${connection}"`;
      return metrics.get(`${name},reason="unreachable"}`)! > 0;
    });
  });
  await becomes(async () => (await gateway.metrics()).has("keywire_stream_lag_seconds"), false);
});
