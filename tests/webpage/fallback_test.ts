import { assertEquals } from "@std/assert";
import { waitFor } from "../support/wait.ts";
import { Peer, type Visit } from "./peer.ts";
import { problem } from "./problem.ts";
import { Watched } from "./watched.ts";

const said = (name: string) => ({ type: "message", cursor: name, message: { name } });
const later = { upgradeMs: 3_600_000 };
const blocked = ({ transport }: Visit) =>
  transport === "websocket" ? new Response(null, { status: 502 }) : undefined;
const never = new Promise<never>(() => {});

Deno.test("Keywire falls back to an event stream where WebSockets are refused", async () => {
  await using peer = new Peer();
  peer.refuse = blocked;
  using watched = new Watched(peer.url, { ...later, key: "ключ" });
  await watched.until("welcome");
  assertEquals(peer.visits.map(({ transport, key }) => `${transport} ${key}`), [
    "websocket ключ",
    "sse ключ", // asks why, twice
    "websocket ключ",
    "sse ключ",
    "sse ключ",
  ]);
  assertEquals(peer.visits.at(-1)!.url.search, "");
  assertEquals(watched.client.transport, "sse");
  assertEquals(watched.of("state").at(-1), { type: "state", state: "open", transport: "sse" });
});

Deno.test("Keywire falls back where WebSockets open and stay silent", async () => {
  await using peer = new Peer();
  const { welcome } = peer;
  peer.welcome = (visit) => visit.transport === "sse" ? welcome(visit) : undefined;
  using watched = new Watched(peer.url, { ...later, dialMs: 500 });
  await watched.until("welcome");
  assertEquals(peer.visits.map(({ transport }) => transport), ["websocket", "sse", "sse"]);
});

Deno.test("Keywire falls back where dials hang", async () => {
  await using peer = new Peer();
  peer.refuse = ({ transport }) => transport === "websocket" ? never : undefined;
  using watched = new Watched(peer.url, { ...later, dialMs: 500 });
  await watched.until("welcome");
  assertEquals(watched.client.transport, "sse");
});

Deno.test("Keywire stays with WebSocket where it was asked to", async () => {
  await using peer = new Peer();
  peer.refuse = blocked;
  using watched = new Watched(peer.url, { transport: "websocket" });
  await watched.until("close", 4);
  assertEquals(watched.client.transport, "websocket");
});

Deno.test("Keywire resumes an event stream behind the last event", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url, { transport: "sse" });
  const first = await peer.line();
  first.say(said("a"), { type: "gap", cursor: "b" }, { type: "fireworks", cursor: "c" });
  await watched.until("gap");
  first.raw("id: earlier\n\n");
  await waitFor("the cursor of an empty block", () => watched.client.cursor === "earlier");
  first.raw("event: heartbeat\nid: later\ndata: {}\n\n");
  await waitFor("the cursor of a heartbeat", () => watched.client.cursor === "later");
  first.end();
  const second = await peer.line();
  assertEquals(second.after, "later");
  assertEquals(second.url.search, "");
  await watched.until("welcome", 2);
  assertEquals(watched.of("welcome")[1], { type: "welcome", recovered: true, cursor: "start" });
  assertEquals((await watched.until("close")).code, 1005);
});

Deno.test("Keywire comes back to an ended event stream when the server asked it to", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url, { transport: "sse" });
  const first = await peer.line();
  first.raw("retry: 300\n\n");
  first.end();
  const endedAt = performance.now();
  const second = await peer.line();
  assertEquals(second.at - endedAt >= 290, true, `${second.at - endedAt} ms`);
  await watched.until("welcome", 2);
});

Deno.test("Keywire takes an ended stream of an unterminated retry for a temporary refusal", async () => {
  await using peer = new Peer();
  peer.refuse = () =>
    peer.visits.length > 1 ? undefined : new Response("retry: 300\n", {
      headers: { "content-type": "text/event-stream" },
    });
  using watched = new Watched(peer.url, { transport: "sse" });
  await watched.until("welcome");
  const [first, second] = peer.visits;
  assertEquals(second!.at - first!.at >= 295, true, `${second!.at - first!.at} ms`);
  const { code, retry, retryMs } = await watched.until("close");
  assertEquals({ code, retry, waits: Number(retryMs) >= 300 }, {
    code: 503,
    retry: true,
    waits: true,
  });
});

Deno.test("Keywire comes back by its own backoff though a welcome carries a retry", async () => {
  await using peer = new Peer();
  peer.welcome = () => undefined;
  using watched = new Watched(peer.url, { transport: "sse" });
  const first = await peer.line();
  first.raw("event: welcome\nid: a\nretry: 60000\ndata: {}\n\n");
  await watched.until("welcome");
  first.end();
  await peer.line();
});

Deno.test("Keywire names both media types in streams and in probes", async () => {
  await using peer = new Peer();
  peer.refuse = blocked;
  using watched = new Watched(peer.url, later);
  await watched.until("welcome");
  const accepts = peer.visits.filter(({ transport }) => transport === "sse")
    .map(({ accept }) => accept);
  assertEquals(accepts, Array(3).fill("text/event-stream, application/problem+json"));
});

Deno.test("Keywire gives a silent event stream up and resumes on another", async () => {
  await using peer = new Peer();
  using _watched = new Watched(peer.url, { transport: "sse" });
  const first = await peer.line();
  first.say(said("a"));
  const second = await peer.line();
  assertEquals(second.after, "a");
  await first.over();
});

Deno.test("Keywire takes a page for no event stream", async () => {
  await using peer = new Peer();
  peer.refuse = () => new Response("<h1>Log in to this network</h1>");
  using watched = new Watched(peer.url, { transport: "sse" });
  const { code, reason, retry } = await watched.until("close");
  assertEquals({ code, reason, retry }, { code: 1006, reason: "no event stream", retry: true });
});

Deno.test("Keywire closes when an event stream is forbidden", async () => {
  await using peer = new Peer();
  peer.refuse = () => problem(403, "the key is not known");
  using watched = new Watched(peer.url, { transport: "sse" });
  assertEquals(await watched.until("close"), {
    type: "close",
    code: 403,
    reason: "the key is not known",
    retry: false,
  });
});

/** Takes longer than what was sent before takes to arrive, by going the same way with more to do. */
async function roundTrip(): Promise<void> {
  await using peer = new Peer();
  using witness = new Watched(peer.url, { transport: "sse" });
  (await peer.line()).say(said("x"));
  await witness.until("message");
}

/** A client that fell back, its stream, and what holds its next try at a WebSocket. */
async function fallenBack(peer: Peer) {
  peer.refuse = blocked;
  const watched = new Watched(peer.url, { upgradeMs: 100, pingMs: 60_000 });
  await watched.until("welcome");
  await peer.line(); // the streams by which it asked why
  await peer.line();
  const stream = await peer.line();
  stream.say(said("a"));
  await watched.until("message");
  const answer = Promise.withResolvers<Response | undefined>();
  const dialled = new Promise<Visit>((resolve) => {
    peer.refuse = (visit) => {
      resolve(visit);
      return answer.promise as Promise<Response>;
    };
  });
  return { watched, stream, dialled, answer };
}

Deno.test("Keywire moves on to a WebSocket that opens: nothing is lost, nothing comes twice", async () => {
  await using peer = new Peer();
  const { watched, stream, dialled, answer } = await fallenBack(peer);
  using _ = watched;
  assertEquals((await dialled).after, "a");
  // The stream brings what the WebSocket, which resumes behind "a", is going to bring again.
  stream.say(said("b"), said("c"));
  await roundTrip();
  answer.resolve(undefined);
  const socket = await peer.line();
  socket.say(said("b"), said("c"), said("d"));
  await stream.over();
  await watched.until("message", 4);
  assertEquals(
    watched.messages.map((message) => (message as { name: string }).name).join(""),
    "abcd",
  );
  assertEquals(watched.of("close").length, 2, "only the two dials that failed at first");
  assertEquals(watched.of("state").slice(-2), [
    { type: "state", state: "open", transport: "sse" },
    { type: "state", state: "open", transport: "websocket" },
  ]);
  socket.end(1012);
  assertEquals((await peer.line()).transport, "websocket");
});

Deno.test("Keywire delivers what it held when the WebSocket does not open after all", async () => {
  await using peer = new Peer();
  const { watched, stream, dialled, answer } = await fallenBack(peer);
  using _ = watched;
  await dialled;
  stream.say(said("b"), said("c"));
  answer.resolve(new Response(null, { status: 502 }));
  await watched.until("message", 3);
  assertEquals(watched.client.cursor, "c");
  const tries = peer.visits.length;
  await waitFor("another try", () => peer.visits.length > tries);
  assertEquals(watched.client.transport, "sse");
});

Deno.test("Keywire stays with its event stream when the WebSocket's node cannot resume it", async () => {
  await using peer = new Peer();
  const { watched, stream, dialled, answer } = await fallenBack(peer);
  using _ = watched;
  await dialled;
  peer.welcome = () => ({ type: "welcome", cursor: "elsewhere", recovered: false });
  answer.resolve(undefined);
  await (await peer.line()).over();
  stream.say(said("b"));
  await watched.until("message", 2);
  assertEquals(watched.client.transport, "sse");
  assertEquals(watched.of("gap"), []);
});

Deno.test("Keywire loses nothing when its event stream ends while a WebSocket is tried", async () => {
  await using peer = new Peer();
  const { watched, stream, dialled, answer } = await fallenBack(peer);
  using _ = watched;
  await dialled;
  stream.say(said("b"));
  stream.end();
  await watched.until("message", 2);
  answer.resolve(undefined);
  const streams = () => peer.visits.filter(({ transport }) => transport === "sse");
  await waitFor("another stream", () => streams().length === 4);
  assertEquals(streams().at(-1)!.after, "b");
});

Deno.test("Keywire tries WebSocket at once on what may be another network", async () => {
  await using peer = new Peer();
  peer.refuse = blocked;
  using watched = new Watched(peer.url, later);
  await watched.until("welcome");
  peer.refuse = () => undefined;
  globalThis.dispatchEvent(new Event("online"));
  await waitFor("the WebSocket", () => watched.client.transport === "websocket");
});

Deno.test("Keywire tries both ways in turn when neither gets through", async () => {
  await using peer = new Peer();
  peer.refuse = blocked;
  using watched = new Watched(peer.url, later);
  await watched.until("welcome");
  await peer.line();
  await peer.line();
  const stream = await peer.line();
  peer.refuse = () => new Response("<h1>Log in to this network</h1>");
  const before = peer.visits.length;
  stream.end();
  await waitFor(
    "both",
    () => new Set(peer.visits.slice(before).map(({ transport }) => transport)).size === 2,
  );
});
