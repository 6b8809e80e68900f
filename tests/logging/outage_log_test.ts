import { assertEquals } from "@std/assert";
import { OutageLog } from "../../src/logging/outage_log.ts";
import { FakeClock } from "../support/fake_clock.ts";

function open(burst: number) {
  const lines: string[] = [];
  const log = new OutageLog({
    everyMs: 1_000,
    burst,
    down: ({ reason, more }) => lines.push(`down: ${reason}${more}`),
    up: ({ seconds, more }) => lines.push(`up after ${seconds}${more}`),
  });
  return { lines, log };
}

Deno.test("OutageLog: each outage and each recovery is a line, repeated reports are none", () => {
  using time = new FakeClock();
  const { lines, log } = open(10);
  log.reportUp();
  log.reportUp();
  log.reportDown("cut");
  log.reportDown("still cut");
  time.tick(2_500);
  log.reportUp();
  log.reportDown("refused");
  assertEquals(lines, ["up after undefined", "down: cut", "up after 2.5", "down: refused"]);
});

Deno.test("OutageLog: what is left out is counted, and the last state is written when a line is free", () => {
  using time = new FakeClock();
  const { lines, log } = open(2);
  for (let times = 0; times < 5; times++) {
    log.reportDown("cut");
    time.tick(10);
    log.reportUp();
    time.tick(10);
  }
  log.reportDown("cut for long");
  assertEquals(lines, ["down: cut", "up after 0"]);
  time.tick(1_000);
  assertEquals(lines.slice(2), ["down: cut for long (8 more such lines left out)"]);
  time.tick(1_000);
  log.reportUp();
  assertEquals(lines.slice(3), ["up after 2"]);
});

Deno.test("OutageLog: no line comes late where the last one said how it is", () => {
  using time = new FakeClock();
  const { lines, log } = open(1);
  log.reportUp();
  log.reportDown("cut");
  log.reportUp();
  time.tick(10_000);
  assertEquals(lines, ["up after undefined"]);
  log.reportDown("cut again");
  assertEquals(lines.slice(1), ["down: cut again (2 more such lines left out)"]);
});

Deno.test("OutageLog: nothing is written once it is disposed", () => {
  using time = new FakeClock();
  const { lines, log } = open(1);
  log.reportUp();
  log.reportDown("cut");
  log[Symbol.dispose]();
  time.tick(10_000);
  assertEquals(lines, ["up after undefined"]);
});
