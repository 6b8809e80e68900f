import { assertEquals } from "@std/assert";
import { figures, median, medianOf, type Result } from "./result.ts";

Deno.test("median() is the middle value, or between the middle two", () => {
  assertEquals(median([9, 1, 5]), 5);
  assertEquals(median([4, 1, 2, 10]), 3);
  assertEquals(median([]), undefined);
});

Deno.test("medianOf() looks at one subject in one scenario", () => {
  const results: Result[] = [1, 2, 9].flatMap((cpuUs, round) => [
    { subject: "a", scenario: "topic", round, values: { cpuUs } },
    { subject: "b", scenario: "topic", round, values: { cpuUs: 100 } },
    { subject: "a", scenario: "one", round, values: { cpuUs: 100 } },
  ]);
  assertEquals(medianOf(results, { subject: "a", scenario: "topic", value: "cpuUs" }), 2);
  assertEquals(medianOf(results, { subject: "a", scenario: "topic", value: "p50Ms" }), undefined);
});

Deno.test("figures() counts CPU per delivery, and per message where nothing is delivered", () => {
  const seen = {
    seconds: 2,
    deliveries: 1000,
    messages: 10,
    serverCpu: 1,
    redisCpu: 0.5,
    generatorCpu: 0.5,
    coreCpu: 1.5,
    p50Us: 1500,
    p99Us: 3000,
  };
  assertEquals(figures(seen), {
    deliveriesPerSecond: 500,
    cpuUs: 1000,
    serverBusy: 0.5,
    otherBusy: 0.5,
    disturbed: 0.25,
    p50Ms: 1.5,
    p99Ms: 3,
  });
  assertEquals(figures({ ...seen, deliveries: 0 }).cpuUs, 100_000);
});
