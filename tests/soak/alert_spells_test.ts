import { assertEquals } from "@std/assert";
import { alertLine, alertRecords } from "./alert_spells.ts";

/** A sample each 15 s, from the `from`th on. */
const looks = (from: number, count: number) =>
  Array.from({ length: count }, (_, i) => 1_000 + 15 * (from + i));
const labels = (alertstate: string, instance: string) => ({
  __name__: "ALERTS",
  alertname: "KeywireDown",
  alertstate,
  instance,
  job: "keywire",
  severity: "critical",
});

Deno.test("alertRecords(): an alert without samples is silent", () => {
  const [record] = alertRecords(["KeywireDown"], [], 15);
  assertEquals(record, { name: "KeywireDown", spells: [], fired: false });
  assertEquals(alertLine(record!, 1_000), "KeywireDown: silent");
});

Deno.test("alertRecords(): what is pending alone has not fired", () => {
  const [down, deaf] = alertRecords(["KeywireDown", "KeywireDeaf"], [
    { metric: labels("pending", "b"), at: looks(40, 1) },
    { metric: labels("pending", "a"), at: looks(4, 3) },
  ], 15);
  assertEquals([down!.fired, deaf!.fired], [false, false]);
  assertEquals(deaf!.spells, []);
  assertEquals(
    alertLine(down!, 1_000),
    "KeywireDown: pending 45 s at 1.0 min (instance a); pending 15 s at 10.0 min (instance b)",
  );
});

Deno.test("alertRecords(): an alert that fires twice has two spells, in order of time", () => {
  const [record] = alertRecords(["KeywireDown"], [
    { metric: labels("firing", "a"), at: [...looks(4, 2), ...looks(20, 1)] },
    { metric: labels("pending", "a"), at: looks(0, 4) },
  ], 15);
  assertEquals(record!.fired, true);
  assertEquals(record!.spells.map(({ state, from, seconds }) => [state, from, seconds]), [
    ["pending", 1_000, 60],
    ["firing", 1_060, 30],
    ["firing", 1_300, 15],
  ]);
});

Deno.test("alertRecords(): a look that is left out does not end a spell", () => {
  const [first = 0, , third = 0] = looks(0, 3);
  const [record] = alertRecords(["KeywireDown"], [
    { metric: labels("firing", "a"), at: [first, third] },
  ], 15);
  assertEquals(record!.spells.map(({ seconds }) => seconds), [45]);
});
