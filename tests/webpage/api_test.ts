// deno-lint-ignore-file no-console -- what the client says there is tested
import { assert, assertEquals, assertRejects } from "@std/assert";
import { waitFor } from "../support/wait.ts";
import { Keywire } from "../../webpage/keywire.js";
import { Peer } from "./peer.ts";
import { problem } from "./problem.ts";
import { FAST, Watched } from "./watched.ts";

type Message =
  | { type: "comment"; text: string }
  | { type: "like"; count: number }
  | { type: "close"; file: string };

const said = (cursor: string, message: Message) => ({ type: "message", cursor, message });

/** What the console is told while `body` runs. */
async function onConsole(body: (lines: string[]) => Promise<void>): Promise<void> {
  const lines: string[] = [];
  const { warn, info } = console;
  console.warn = (text) => void lines.push(`warn ${text}`);
  console.info = (text) => void lines.push(`info ${text}`);
  try {
    await body(lines);
  } finally {
    Object.assign(console, { warn, info });
  }
}

Deno.test("on: listens to messages by their type, and returns its own undo", async () => {
  await using peer = new Peer();
  using keywire = new Keywire<Message>(peer.url, { key: "demo", ...FAST });
  const heard: string[] = [];
  const undo = keywire.on("comment", ({ data, cursor }) => heard.push(`${cursor} ${data.text}`));
  keywire.on("like", ({ data }) => heard.push(`${data.count}`));
  const all: string[] = [];
  keywire.on("message", ({ data }) => all.push(data.type));
  const line = await peer.line();
  line.say(
    said("1", { type: "comment", text: "a" }),
    said("2", { type: "like", count: 7 }),
    { type: "message", cursor: "3", message: { type: 5 } },
    { type: "message", cursor: "4", message: {} },
  );
  await waitFor("all messages", () => all.length === 4);
  assertEquals(heard, ["1 a", "7"]);
  undo();
  line.say(said("5", { type: "comment", text: "b" }), said("6", { type: "like", count: 8 }));
  await waitFor("all messages", () => all.length === 6);
  assertEquals(heard, ["1 a", "7", "8"]);
});

Deno.test("on: an undo removes one registration of a listener, not the other", async () => {
  await using peer = new Peer();
  using keywire = new Keywire<Message>(peer.url, { key: "demo", ...FAST });
  let heard = 0;
  const listener = () => heard++;
  const undo = keywire.on("like", listener);
  keywire.on("like", listener);
  const line = await peer.line();
  line.say(said("1", { type: "like", count: 1 }));
  await waitFor("twice", () => heard === 2);
  undo();
  undo();
  line.say(said("2", { type: "like", count: 1 }));
  await waitFor("once more", () => heard === 3);
});

Deno.test("on: the client's own events keep their meaning, whatever a message calls itself", async () => {
  await using peer = new Peer();
  using keywire = new Keywire<Message>(peer.url, { key: "demo", ...FAST });
  const closes: unknown[] = [];
  keywire.on("close", ({ code }) => closes.push(code));
  const messages: unknown[] = [];
  keywire.on("message", ({ data }) => messages.push(data));
  const line = await peer.line();
  line.say(said("1", { type: "close", file: "x" }));
  await waitFor("the message", () => messages.length === 1);
  assertEquals(closes, []);
  line.end(1012);
  await waitFor("the end", () => closes.length === 1);
  assertEquals(closes, [1012]);
});

Deno.test("on: the member that names a message's type can be another", async () => {
  await using peer = new Peer();
  using keywire = new Keywire<{ kind: "a" } | { kind: "b" }, "kind">(peer.url, {
    key: "demo",
    typeMember: "kind",
    ...FAST,
  });
  const heard: unknown[] = [];
  keywire.on("b", ({ data }) => heard.push(data));
  const line = await peer.line();
  line.say(
    { type: "message", cursor: "1", message: { kind: "a", type: "b" } },
    { type: "message", cursor: "2", message: { kind: "b" } },
  );
  await waitFor("the message", () => heard.length > 0);
  assertEquals(heard, [{ kind: "b" }]);
});

Deno.test("once: listens once, or not at all after its undo", async () => {
  await using peer = new Peer();
  using keywire = new Keywire<Message>(peer.url, { key: "demo", ...FAST });
  const heard: string[] = [];
  keywire.once("like", ({ data }) => heard.push(`once ${data.count}`));
  keywire.once("like", () => heard.push("never"))();
  keywire.on("like", ({ data }) => heard.push(`on ${data.count}`));
  const line = await peer.line();
  line.say(said("1", { type: "like", count: 1 }), said("2", { type: "like", count: 2 }));
  await waitFor("both", () => heard.length === 3);
  assertEquals(heard, ["once 1", "on 1", "on 2"]);
});

Deno.test("ready: resolves with the first welcome", async () => {
  await using peer = new Peer();
  peer.refuse = () => peer.visits.length > 2 ? undefined : new Response(null, { status: 503 });
  using watched = new Watched(peer.url);
  const { type, cursor } = await watched.client.ready;
  assertEquals([type, cursor], ["welcome", "start"]);
  assertEquals(await watched.client.ready, await watched.client.ready);
});

Deno.test("ready: rejects when the client closes before", async () => {
  await using peer = new Peer();
  peer.refuse = () => problem(403, "the key is not known");
  using refused = new Watched(peer.url);
  await assertRejects(() => refused.client.ready, Error, "the key is not known (403)");
  using closed = new Watched(peer.url);
  closed.client.close();
  await assertRejects(() => closed.client.ready, Error, "close() was called");
});

Deno.test("error: says once until the next welcome why there is no connection", async () => {
  await using peer = new Peer();
  peer.refuse = () => peer.visits.length > 6 ? undefined : problem(503, "it is draining");
  await onConsole(async (lines) => {
    using watched = new Watched(peer.url);
    const line = await peer.line();
    await watched.until("welcome");
    const error = {
      type: "error",
      code: 503,
      reason: "it is draining",
      retry: true,
      message: "it is draining (503)",
    };
    assertEquals(watched.of("error"), [error]);
    assert(watched.of("close").length > 1);
    let refusals = 6;
    peer.refuse = () => refusals-- > 0 ? problem(503, "it is draining") : undefined;
    line.end(1012); // no failure: it comes back
    await watched.until("welcome", 2);
    assertEquals(watched.of("error"), [error, error]);
    assertEquals(lines, [], "as a listener is there");
  });
});

Deno.test("error: the console warns once where no listener asked for failures", async () => {
  await using peer = new Peer();
  peer.refuse = () => problem(403, "the key is not known");
  await onConsole(async (lines) => {
    using keywire = new Keywire(peer.url, { key: "a secret", ...FAST });
    keywire.on("message", () => {});
    await assertRejects(() => keywire.ready);
    assertEquals(lines, [
      "warn Keywire: the key is not known (403). It gives up; debug: true explains",
    ]);
  });
  peer.refuse = () => peer.visits.length > 12 ? undefined : problem(429, "too many");
  await onConsole(async (lines) => {
    using keywire = new Keywire(peer.url, { key: "a secret", ...FAST });
    await keywire.ready;
    assertEquals(lines, [
      "warn Keywire: too many (429). It tries again; debug: true explains",
    ]);
  });
});

for (const [type, undo] of [["error", false], ["close", false], ["error", true]] as const) {
  Deno.test(`error: a listener for ${type} keeps the console quiet${undo ? ", undone too" : ""}`, async () => {
    await using peer = new Peer();
    peer.refuse = () => problem(403, "the key is not known");
    await onConsole(async (lines) => {
      using keywire = new Keywire(peer.url, { key: "a", ...FAST });
      const off = keywire.on(type, () => {});
      if (undo) off();
      await assertRejects(() => keywire.ready);
      assertEquals(lines, []);
    });
  });
}

/** A refusal, and what `debug` says of it. */
const EXPLAINED: [number, string][] = [
  [401, "asks for credentials of its own"],
  [403, "ALLOWED_ORIGINS"],
  [429, "MAX_CONNECTIONS_PER_KEY"],
  [503, "/ready"],
];

for (const [status, words] of EXPLAINED) {
  Deno.test(`debug: explains ${status} in a sentence`, async () => {
    await using peer = new Peer();
    peer.refuse = () => problem(status, "because");
    await onConsole(async (lines) => {
      using watched = new Watched(peer.url, { debug: true });
      await watched.until("error");
      await waitFor("the explanation", () => lines.length === 1);
      assert(lines[0]!.startsWith(`info Keywire: because (${status}). `), lines[0]);
      assert(lines[0]!.includes(words), lines[0]);
    });
  });
}

Deno.test("debug: explains a connection that breaks without a word", async () => {
  await using peer = new Peer();
  peer.answers = false;
  await onConsole(async (lines) => {
    using watched = new Watched(peer.url, { debug: true });
    const { code } = await watched.until("close");
    assertEquals(code, 1006);
    await waitFor("the explanation", () => lines.length > 0);
    assert(lines[0]!.includes("broke without a word (1006)"), lines[0]);
  });
});

Deno.test("debug: explains silence", async () => {
  let port: number;
  {
    await using gone = new Peer();
    port = gone.port;
  }
  await onConsole(async (lines) => {
    using _watched = new Watched(`ws://127.0.0.1:${port}/`, { debug: true });
    await waitFor("the explanation", () => lines.length === 1);
    assert(lines[0]!.includes(`Nothing answers as a gateway at 127.0.0.1:${port}`), lines[0]);
  });
});

Deno.test("debug: explains a gap", async () => {
  await using peer = new Peer();
  await onConsole(async (lines) => {
    using watched = new Watched(peer.url, { debug: true });
    (await peer.line()).say({ type: "gap", cursor: "a", source: "stream" });
    await watched.until("gap");
    await waitFor("the explanation", () => lines.length === 1);
    assert(lines[0]!.includes("Messages of the stream may be lost"), lines[0]);
  });
});
