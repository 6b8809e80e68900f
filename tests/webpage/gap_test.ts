import { assert, assertEquals } from "@std/assert";
import { waitFor } from "../support/wait.ts";
import { Peer } from "./peer.ts";
import { Watched } from "./watched.ts";

const said = (name: string) => ({ type: "message", cursor: name, message: { name } });

Deno.test("gap: one event names every source lost within its delay, and messages do not wait", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url, { gapJitterMs: 400 });
  const line = await peer.line();
  line.say(
    { type: "gap", cursor: "a", source: "stream" },
    said("b"),
    { type: "gap", cursor: "c", source: "channel" },
    { type: "gap", cursor: "d", source: "stream" },
    said("e"),
  );
  await watched.until("message", 2);
  assertEquals(await watched.until("gap"), {
    type: "gap",
    cursor: "d",
    sources: ["channel", "stream"],
  });
  const order = watched.fired.map(({ type }) => type).filter((type) => type !== "state");
  assertEquals(order, ["welcome", "message", "message", "gap"]);
  line.say({ type: "gap", cursor: "f", source: "channel" });
  const second = await watched.until("gap", 2);
  assertEquals(second, { type: "gap", cursor: "f", sources: ["channel"] });
});

Deno.test("gap: without a delay it stands where the server said it, among the messages", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url, { gapJitterMs: 0 });
  const line = await peer.line();
  line.say(said("a"), { type: "gap", cursor: "b", source: "stream" }, said("c"));
  await watched.until("message", 2);
  const order = watched.fired.map(({ type }) => type).filter((type) => type !== "state");
  assertEquals(order, ["welcome", "message", "gap", "message"]);
});

Deno.test("gap: clients that lose something at one moment tell it at different times", async () => {
  await using peer = new Peer();
  const gapJitterMs = 1_000;
  const clients = Array.from({ length: 20 }, () => new Watched(peer.url, { gapJitterMs }));
  try {
    const lines = await Promise.all(clients.map(() => peer.line()));
    const at: number[] = [];
    for (const { client } of clients) {
      client.addEventListener("gap", () => at.push(performance.now()));
    }
    for (const line of lines) line.say({ type: "gap", cursor: "a", source: "stream" });
    await waitFor("all gaps", () => at.length === clients.length);
    const spread = Math.max(...at) - Math.min(...at);
    // Twenty random times within 400 ms of a second: once in 10 million runs.
    assert(spread > 400, `all within ${spread} ms`);
  } finally {
    for (const client of clients) client[Symbol.dispose]();
  }
});

Deno.test("gap: a server that names no source means both", async () => {
  await using peer = new Peer();
  peer.welcome = () => ({ type: "welcome", cursor: "x", recovered: false });
  using watched = new Watched(peer.url, { cursor: "c" });
  assertEquals((await watched.until("welcome")).lost, ["channel", "stream"]);
  assertEquals((await watched.until("gap")).sources, ["channel", "stream"]);
});

for (const transport of ["websocket", "sse"] as const) {
  Deno.test(`gap: by ${transport} the sources of welcome and gap are passed on`, async () => {
    await using peer = new Peer();
    peer.welcome = () => ({ type: "welcome", cursor: "x", recovered: false, lost: ["channel"] });
    // A client that takes a busy machine for silence would come back, and be told the first gap again.
    using watched = new Watched(peer.url, { transport, cursor: "c", pingMs: 60_000 });
    const line = await peer.line();
    assertEquals(await watched.until("welcome"), {
      type: "welcome",
      cursor: "x",
      recovered: false,
      lost: ["channel"],
    });
    assertEquals(watched.client.cursor, "x");
    assertEquals((await watched.until("gap")).sources, ["channel"]);
    line.say({ type: "gap", cursor: "y", source: "stream" });
    assertEquals((await watched.until("gap", 2)).sources, ["stream"]);
  });
}

Deno.test("gap: none is told once the client is closed", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url, { gapJitterMs: 50 });
  const line = await peer.line();
  // In the same frame, so that no timer can be faster.
  watched.client.addEventListener("message", () => watched.client.close());
  line.say({ type: "gap", cursor: "a" }, said("b"));
  await watched.until("message");
  await new Promise((resolve) => setTimeout(resolve, 60)); // longer than it would have taken
  assertEquals(watched.of("gap"), []);
});
