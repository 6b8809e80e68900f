import { assert, assertEquals } from "@std/assert";
import { PLAIN } from "../../src/core/format.ts";
import { Node } from "./node.ts";

const envelope = (recipients: unknown, n = 1) => JSON.stringify({ recipients, n });

Deno.test("Router: what names a connection here is delivered, the rest is not read", async () => {
  await using node = new Node();
  const { router } = node.gateway;
  const ann = await node.connect({ format: PLAIN });
  router.message(envelope(["ann", "bob"]));
  router.message(envelope(["someone else"], 2));
  router.entry("1-0", envelope("*", 3), false);
  assertEquals(ann.sent, ['{"n":1}', '{"n":3}']);
  const { received, notForThisNode, delivered } = router.counts;
  assertEquals([received, notForThisNode, delivered], [3, 1, 2]);
});

Deno.test("Router: runs of one turn are flushed before its end only when they are large", async () => {
  await using node = new Node();
  const { router } = node.gateway;
  const ann = await node.connect();
  const welcomed = ann.sent.length;
  for (let run = 0; run < 3; run++) {
    router.message(envelope(["ann"], run));
    router.ready();
  }
  assertEquals(ann.sent.length, welcomed, "a write for each small run makes lists slow");
  for (let run = 0; run < 3; run++) {
    router.message(JSON.stringify({ recipients: ["ann"], text: "x".repeat(30_000) }));
    router.ready();
  }
  assert(ann.sent.length > welcomed, "what is owed much shows in its backlog only once flushed");
});

Deno.test("Router: what was there before the start belongs to the window, and to no connection", async () => {
  await using node = new Node();
  const ann = await node.connect({ format: PLAIN });
  node.gateway.router.entry("1-0", envelope(["ann"]), true);
  assertEquals([ann.sent, node.gateway.history.window.end], [[], 1]);
});

Deno.test("Router: a malformed envelope is dropped and counted by its reason", async () => {
  await using node = new Node();
  const { router } = node.gateway;
  const ann = await node.connect({ format: PLAIN });
  for (const text of ["{", "[]", "{}", envelope([42]), envelope(["ann"], 7)]) router.message(text);
  router.message("\ufffd", "not_utf8");
  assertEquals(ann.sent, ['{"n":7}']);
  const counted = [...router.counts.dropped].filter(([, count]) => count > 0);
  assertEquals(Object.fromEntries(counted), {
    not_json: 1,
    not_object: 1,
    no_recipients: 1,
    numeric_recipients: 1,
    not_utf8: 1,
  });
});

Deno.test("Router: a gap is told to everyone and counted by its source", async () => {
  await using node = new Node();
  node.gateway.router.historyLoaded("0-0");
  const clients = [await node.connect(), await node.connect({ key: "bob" })];
  node.gateway.router.gap("stream", "9-0");
  await Promise.resolve();
  for (const { sent } of clients) assertEquals(JSON.parse(sent.at(-1)!).source, "stream");
  assertEquals([...node.gateway.router.counts.gaps], [["channel", 0], ["stream", 1]]);
});

Deno.test("Router: clients that came before the channel was heard are told, once", async () => {
  await using node = new Node();
  const { router } = node.gateway;
  router.historyLoaded("0-0");
  const ann = await node.connect();
  router.marker("n-1", true);
  router.marker("n-2", true);
  await Promise.resolve();
  assertEquals(ann.types, ["welcome", "gap"]);
});

Deno.test("Router: a source that is off has no gaps to tell", async () => {
  await using node = new Node({ REDIS_CHANNEL: "" });
  const { router } = node.gateway;
  router.historyLoaded("0-0");
  const ann = await node.connect();
  router.gap("channel");
  await Promise.resolve();
  assertEquals(ann.types, ["welcome"]);
});

Deno.test("Router: the window counts as loaded once the bus says so", async () => {
  await using node = new Node();
  assertEquals(node.gateway.isHistoryLoaded, false);
  node.gateway.router.historyLoaded("0-0");
  assertEquals(node.gateway.isHistoryLoaded, true);
});
