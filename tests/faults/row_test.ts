import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Observation, Testimony } from "./observe.ts";
import { COLUMNS, lossOf, rowOf } from "./row.ts";
import type { Source } from "./publisher.ts";

/** Ten messages a second of each source for 10 s; the fault strikes after 2 s and ends after 5. */
const published = (["stream", "channel"] as const).flatMap((source) =>
  Array.from({ length: 100 }, (_, n) => ({ source, n, at: n * 100, isConfirmed: true }))
);

/** A client that hears all but what `misses` says. */
function client(
  kind: Testimony["kind"],
  words: Testimony["words"] = [],
  misses: (source: Source, n: number) => boolean = () => false,
): Testimony {
  const arrivals = published.filter(({ source, n }) => !misses(source, n))
    .map(({ source, n, at }) => ({ source, n, at: at + 1 }));
  return { kind, arrivals, words };
}

function observation(clients: readonly Testimony[]): Observation {
  return {
    name: "a fault",
    struckAt: 2_000,
    healedAt: 5_000,
    endedAt: 6_000,
    published,
    clients,
    ready: [{ at: 0, text: "200 ready" }, { at: 2_500, text: "503 deaf: a|b" }, {
      at: 5_200,
      text: "200 ready",
    }],
    newcomers: [{ at: 1_000, text: "101" }, { at: 3_000, text: "503" }, { at: 4_000, text: "503" }],
    api: [{ at: 1_000, text: "202" }, { at: 3_000, text: "202" }],
    alerts: new Map([["KeywireDeaf", 3_000]]),
    counters: [['keywire_gaps_total{source="channel"}', 1]],
    log: [
      { at: 1_000, level: "WARN", message: "before" },
      { at: 2_100, level: "WARN", message: "Redis at 127.0.0.1:4242 has trouble" },
      { at: 5_100, level: "INFO", message: "Redis is well again after 3 s" },
    ],
  };
}

const missed = (source: Source, n: number) => source === "channel" && n >= 20 && n < 30;
const told = [{ at: 5_000, text: "gap: channel", lost: ["channel" as const] }];
const cell = (cells: readonly string[], name: string) =>
  cells[[...COLUMNS.clients, ...COLUMNS.operators].indexOf(name as never)]!;

Deno.test("rowOf: what was lost and told is told, and is no fault of the gateway", () => {
  const row = rowOf(
    observation([client("v1", told, missed), client("SSE", told, missed), client("plain")]),
  );
  assertEquals(row.faults, []);
  assertEquals(cell(row.clients, "lost by v1 and SSE"), "stream 0; channel 10, told");
  assertEquals(cell(row.clients, "lost by plain"), "stream 0; channel 0");
  assertEquals(
    cell(row.clients, "`keywire.v1`"),
    "gap: channel; silent for 0.1 s (stream), 1.1 s (channel)",
  );
  assertEquals(cell(row.clients, "delivery is back"), "0.0 s after its end");
  assertEquals(cell(row.clients, "new clients"), "503 × 2, 1.0 s to 2.0 s; else 101");
});

Deno.test("rowOf: what is lost in silence, told too early or doubled is a fault of the gateway", () => {
  const early = [{ ...told[0]!, at: 1_000 }];
  const twice = client("SSE");
  const { faults, clients } = rowOf(
    observation([
      client("v1", early, missed),
      { ...twice, arrivals: [...twice.arrivals, twice.arrivals[0]!] },
      client("plain"),
    ]),
  );
  assertEquals(faults, ["v1 lost 10 of the channel in silence", "SSE got 1 twice"]);
  assertStringIncludes(clients.join(), "channel 10, **not told**");
});

Deno.test("rowOf: delivery that never comes back is said, and not counted as quick", () => {
  const deaf = client("v1", [], (_source, n) => n >= 50);
  const { clients } = rowOf(observation([deaf, client("SSE"), client("plain")]));
  assertEquals(cell(clients, "delivery is back"), "**not within a minute**");
});

Deno.test("rowOf: operators see when /ready, alerts and the log told, without ports and bars", () => {
  const { operators } = rowOf(observation([client("v1"), client("SSE"), client("plain")]));
  assertEquals(operators, [
    "a fault",
    "0.5 s: 503 deaf: a/b; 3.2 s: 200 ready",
    "Deaf 1.0 s",
    "always 202",
    "`gaps`: channel 1",
    "0.1 s: “Redis at host:port has trouble”; 3.1 s: “Redis is well again after 3 s”",
  ]);
});

Deno.test("lossOf: what Redis did not confirm, or came before the client, is not lost", () => {
  const late = client("v1", [], (_source, n) => n < 50);
  const seen = {
    struckAt: 0,
    published: published.map((one) => one.n === 70 ? { ...one, isConfirmed: false } : one),
  };
  assertEquals(lossOf(late, seen).lost, { stream: 0, channel: 0 });
  const some = client("v1", [], (_source, n) => n === 70 || n === 71);
  assertEquals(lossOf(some, seen).lost, { stream: 1, channel: 1 });
  assert(!lossOf(some, seen).told.has("stream"));
});
