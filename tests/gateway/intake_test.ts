import { assert, assertEquals } from "@std/assert";
import { Intake } from "../../src/gateway/intake.ts";

/** A connection that is owed `backlog`. */
function debtor(backlog: number) {
  return { backlog, sent: 0, ended: false };
}

/** A clock that goes on by 10 ms each time it is read. */
function clock(): () => number {
  let now = 0;
  return () => now += 10;
}

Deno.test("Intake: more may come at once while no connection has a backlog", async () => {
  const intake = new Intake({ maxOwedBytes: 100 });
  assertEquals(intake.ready(), undefined);
  const connection = debtor(1);
  intake.add(connection);
  assert(intake.ready() instanceof Promise);
  connection.backlog = 0;
  await intake.ready();
  assertEquals(intake.ready(), undefined, "a connection without a backlog is forgotten");
});

Deno.test("Intake: waits for a connection that reads until it is owed less", async () => {
  const intake = new Intake({ maxOwedBytes: 100, now: () => 0 });
  const connection = debtor(1_000);
  intake.add(connection);
  let isReady = false;
  const ready = intake.ready()!.then(() => isReady = true);
  for (let turn = 0; turn < 20; turn++) {
    connection.sent += 10;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assertEquals(isReady, false);
  connection.backlog = 100;
  await ready;
});

Deno.test("Intake: waits 50 ms at most, and not for a connection that takes nothing", async () => {
  const now = clock();
  const intake = new Intake({ maxOwedBytes: 100, now });
  const [stalled, reading] = [debtor(1_000), debtor(1_000)];
  intake.add(stalled);
  for (let turn = 0; turn < 20; turn++) await intake.ready();
  const start = now();
  await intake.ready();
  assert(now() - start < 50, "the stalled one holds nothing back any more");
  intake.add(reading);
  const timer = setInterval(() => reading.sent++, 1);
  await intake.ready(); // By the clock of this test 50 ms are over in a few turns.
  clearInterval(timer);
});

Deno.test("Intake: a connection that ended holds nothing back", async () => {
  const intake = new Intake({ maxOwedBytes: 100, now: () => 0 });
  const connection = debtor(1_000);
  intake.add(connection);
  connection.ended = true;
  await intake.ready();
  assertEquals(intake.ready(), undefined);
});
