import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Results } from "./result.ts";
import { SUBJECTS } from "./subjects/mod.ts";
import { resultTable } from "./table.ts";
import { targetTable } from "./target.ts";

const quiet = { serverBusy: 0.99, otherBusy: 0.5, disturbed: 0.01 };

function run(values: Record<string, Record<string, number>>): Results {
  return {
    machine: "a machine",
    seconds: 4,
    missing: [],
    results: Object.entries(values).map(([subject, values]) => ({
      subject,
      scenario: "topic",
      round: 0,
      values: { ...quiet, ...values },
    })),
  };
}

Deno.test("resultTable() has a row for each subject that was measured", () => {
  const table = resultTable(
    run({ bare: { deliveriesPerSecond: 107_123, cpuUs: 9.41 } }),
    SUBJECTS,
  );
  // An empty line would end a table of Markdown.
  assertEquals(table.split("\n").slice(2), [
    "| bare Deno loop | 107,000 · 9.41 |  |  |  |  |  |",
    "",
  ]);
});

Deno.test("resultTable() names what is missing, and why", () => {
  const missing = [{ what: "nchan", why: "nginx is not installed\nand more" }];
  assertStringIncludes(
    resultTable({ ...run({}), missing }, SUBJECTS),
    "Missing: nchan: nginx is not installed",
  );
});

Deno.test("resultTable() doubts a figure that something else than the server may have limited", () => {
  const waits = run({ bare: { deliveriesPerSecond: 1, cpuUs: 1, serverBusy: 0.4 } });
  assertStringIncludes(resultTable(waits, SUBJECTS), "the server was busy for 40 % only");
  const slow = run({
    bare: { deliveriesPerSecond: 1, cpuUs: 1, serverBusy: 0.8, otherBusy: 0.97 },
  });
  assertStringIncludes(resultTable(slow, SUBJECTS), "generator and Redis were busy for 97 %");
  const both = run({ bare: { deliveriesPerSecond: 1, cpuUs: 1, otherBusy: 0.97 } });
  assertEquals(resultTable(both, SUBJECTS).includes("In doubt"), false);
});

Deno.test("targetTable() says of each target that was measured whether it is met", () => {
  const speeds = { "keywire-v1": 1_700_000, "keywire-sse": 1_100_000, centrifugo: 512_000 };
  const table = targetTable(
    run(Object.fromEntries(
      Object.entries(speeds).map(([name, deliveriesPerSecond]) => [name, { deliveriesPerSecond }]),
    )),
  );
  assertEquals(table.split("\n").slice(2), [
    "| topic: keywire-v1 ÷ centrifugo, deliveries/s | at least 4 | 3.32 | **no** |",
    "| topic: keywire-sse ÷ centrifugo, deliveries/s | at least 2 | 2.15 | yes |",
  ]);
});

Deno.test("resultTable() and targetTable() say what connecting costs, store by store", () => {
  const costs = {
    embedded: { connectCpuUs: 150, redisCpuUs: 11, queriesPer20: 0 },
    mongodb: { connectCpuUs: 180, redisCpuUs: 13, queriesPer20: 0.08 },
  };
  const results = Object.entries(costs).map(([subject, values]) => ({
    subject,
    scenario: "connect",
    round: 0,
    values,
  }));
  const measured = { ...run({}), results };
  assertEquals(resultTable(measured, SUBJECTS).split("\n").slice(3), [
    "10,000 connects with the embedded key store, presence included: 150 µs of CPU each " +
    "(1 × the embedded one), 11 µs of Redis a recipient, 0 queries per 20 connects",
    "10,000 connects with MongoDB, presence included: 180 µs of CPU each " +
    "(1.2 × the embedded one), 13 µs of Redis a recipient, 0.08 queries per 20 connects",
  ]);
  assertEquals(targetTable(measured).split("\n").slice(2), [
    "| connect: MongoDB queries per 20 connects | at most 1 | 0.08 | yes |",
    "| connect: CPU with MongoDB ÷ with the embedded store, presence included | at most 1.3 | 1.2 | yes |",
    "| connect: CPU of Redis per recipient, embedded, µs | at most 12 | 11 | yes |",
    "| connect: CPU of Redis per recipient, mongodb, µs | at most 12 | 13 | **no** |",
  ]);
});
