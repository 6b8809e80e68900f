import { assertEquals } from "@std/assert";
import { alertTimes } from "./alert_times.ts";

Deno.test("alertTimes: each alert has the time that it was pending and fired; silence is zero", () => {
  const counts = [
    { metric: { alertname: "Down", alertstate: "pending" }, value: 3 },
    { metric: { alertname: "Down", alertstate: "firing" }, value: 2 },
    { metric: { alertname: "Gaps", alertstate: "firing" }, value: 1 },
  ];
  assertEquals(alertTimes(["Down", "Deaf", "Gaps"], counts, 15), [
    { name: "Down", pending: 45, firing: 30 },
    { name: "Deaf", pending: 0, firing: 0 },
    { name: "Gaps", pending: 0, firing: 15 },
  ]);
});
