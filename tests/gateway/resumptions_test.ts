/** Resumptions by themselves: what a client is told, and what it waits for, by a faked clock. */
import { assertEquals } from "@std/assert";
import { FakeClock } from "../support/fake_clock.ts";
import { Node, type NodeClient } from "./node.ts";

/** A node that has heard a marker, and a message and an entry behind it. */
function started(): Node {
  const node = new Node();
  const { router } = node.gateway;
  router.historyLoaded("0-0");
  router.marker("n-1", true);
  router.message('{"recipients":["ann"],"n":1}');
  router.entry("5-0", '{"recipients":["ann"],"n":2}', false);
  return node;
}

/** What a client was told, each event with what it says. */
function events({ sent }: NodeClient): unknown[][] {
  return sent.flatMap((text) => text.split("\n")).map((line) => {
    const { type, recovered, lost, message } = JSON.parse(line);
    return [type, recovered ?? message?.n, ...lost === undefined ? [] : [lost]];
  });
}

Deno.test("Resumptions: a client gets what it missed behind its welcome, then what comes", async () => {
  await using node = started();
  const ann = await node.connect({ after: "0-0~n-1~0" });
  node.gateway.router.message('{"recipients":["ann"],"n":3}');
  await Promise.resolve();
  assertEquals(events(ann), [["welcome", true], ["message", 1], ["message", 2], ["message", 3]]);
  const { replaySeconds, counts } = node.gateway.resumptions;
  assertEquals([counts.replayed, replaySeconds.count, replaySeconds.sum < 10], [2, 1, true]);
});

Deno.test("Resumptions: a replay takes as long as its client takes to read it", async () => {
  using time = new FakeClock();
  await using node = started();
  const { replaySeconds } = node.gateway.resumptions;
  const slow = await node.connect({ after: "0-0~n-1~0", capacity: 0 });
  assertEquals([slow.connection.attached, replaySeconds.count], [false, 0]);
  time.tick(700);
  slow.grow(1e6);
  assertEquals([slow.connection.attached, replaySeconds.count], [true, 1]);
  assertEquals(replaySeconds.sum.toFixed(3), "0.700");
});

Deno.test("Resumptions: a cursor that is none loses every source, at once", async () => {
  await using node = started();
  const ann = await node.connect({ after: "nonsense" });
  assertEquals([events(ann), node.probes], [[["welcome", false, ["channel", "stream"]]], 0]);
});

Deno.test("Resumptions: what can be proven of the stream is replayed though the channel cannot be", async () => {
  using _time = new FakeClock();
  await using node = started();
  const ann = await node.connect({ after: "0-0~~0" });
  assertEquals(events(ann), [["welcome", false, ["channel"]], ["message", 2]]);
});

Deno.test("Resumptions: an unknown marker is given up behind two markers of the node's own", async () => {
  using _time = new FakeClock();
  await using node = started();
  const ann = await node.connect({ after: "5-0~other-9~0" });
  const { router } = node.gateway;
  assertEquals([ann.sent, node.probes], [[], 1]);
  router.marker("n-2", true);
  router.marker("other-8", false);
  await Promise.resolve();
  assertEquals([ann.sent, node.probes], [[], 2]);
  router.marker("n-3", true);
  await Promise.resolve();
  assertEquals(events(ann), [["welcome", false, ["channel"]]]);
});

Deno.test("Resumptions: a marker that comes meanwhile proves the channel", async () => {
  using _time = new FakeClock();
  await using node = started();
  const ann = await node.connect({ after: "5-0~other-9~0" });
  node.gateway.router.marker("other-9", false);
  await Promise.resolve();
  assertEquals(events(ann), [["welcome", true]]);
});

Deno.test("Resumptions: a client that is ahead waits for messages, asks for no marker, and 10 s at most", async () => {
  using time = new FakeClock();
  await using node = started();
  const ann = await node.connect({ after: "7-0~n-1~1" });
  time.tick(9_900);
  await Promise.resolve();
  assertEquals([ann.sent, node.probes], [[], 0]);
  time.tick(200);
  await Promise.resolve();
  assertEquals(events(ann), [["welcome", false, ["stream"]]]);
});

Deno.test("Resumptions: a client that is ahead goes on when the node gets there", async () => {
  using time = new FakeClock();
  await using node = started();
  const ann = await node.connect({ after: "7-0~n-1~1" });
  node.gateway.router.entry("7-0", '{"recipients":["ann"],"n":3}', false);
  node.gateway.router.entry("8-0", '{"recipients":["ann"],"n":4}', false);
  time.tick(50);
  await Promise.resolve();
  assertEquals(events(ann), [["welcome", true], ["message", 4]]);
});
