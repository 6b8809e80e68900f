import { assert, assertEquals, assertThrows } from "@std/assert";
import { waitFor } from "../support/wait.ts";
import { Keywire } from "../../webpage/keywire.js";
import { Peer } from "./peer.ts";
import { problem } from "./problem.ts";
import { Watched } from "./watched.ts";

/** A message whose text is also its cursor. */
const said = (name: string) => ({ type: "message", cursor: name, message: { name } });

Deno.test("Keywire delivers what the server says, and its key is in no URL", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url, { key: "schlüssel/+?" });
  const line = await peer.line();
  line.say({ type: "message", cursor: "1", message: { data: { n: 1 } } });
  assertEquals(await watched.until("message"), {
    type: "message",
    data: { data: { n: 1 } },
    cursor: "1",
  });
  assertEquals(line.key, "schlüssel/+?");
  assertEquals(line.url.href, `http://127.0.0.1:${peer.port}/websocket`);
  assertEquals(watched.fired.slice(0, 2), [
    { type: "state", state: "open", transport: "websocket" },
    { type: "welcome", cursor: "start" },
  ]);
});

Deno.test("Keywire takes any address of the gateway", async () => {
  await using peer = new Peer();
  const http = `http://127.0.0.1:${peer.port}`;
  const addresses: [string, string][] = [
    [http, "/websocket"],
    [`${http}/websocket`, "/websocket"],
    [`${http}/push/websocket?tenant=1#x`, "/push/websocket?tenant=1&after=c"],
    [`${peer.url}push/`, "/push/websocket"],
  ];
  for (const [address, path] of addresses) {
    using _watched = new Watched(address, path.includes("after") ? { cursor: "c" } : {});
    const { url } = await peer.line();
    assertEquals(url.pathname + url.search, path);
  }
});

Deno.test("Keywire throws at once when its URL or options make no sense", () => {
  assertThrows(() => new Keywire("ftp://x/", { key: "k" }), TypeError, "ws or http");
  assertThrows(() => new Keywire("ws://x/", { key: 1 as never }), TypeError, "`key`");
  assertThrows(
    () => new Keywire("ws://x/", { key: "k", transport: "carrier" as never }),
    TypeError,
    "carrier",
  );
  for (const name of ["minDelayMs", "maxDelayMs", "pingMs", "dialMs", "upgradeMs", "gapJitterMs"]) {
    for (const wrong of [NaN, -1, "soon", {}, ...(name === "gapJitterMs" ? [] : [0])]) {
      const options = { key: "k", [name]: wrong };
      assertThrows(() => new Keywire("ws://x/", options), TypeError, `\`${name}\``);
    }
  }
});

Deno.test("Keywire waits long where an option says Infinity", async () => {
  await using peer = new Peer();
  const never = { dialMs: Infinity, pingMs: Infinity, upgradeMs: Infinity };
  using watched = new Watched(peer.url, { ...never, gapJitterMs: Infinity });
  const line = await peer.line();
  line.say({ type: "gap", cursor: "1", source: "stream" }, said("a"));
  await watched.until("message");
  await new Promise((resolve) => setTimeout(resolve, 50)); // a timer without a bound fires at once
  assertEquals([line.heard, watched.of("close"), watched.of("gap")], [[], [], []]);
});

Deno.test("Keywire begins anew where storage gives null for its cursor", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url, { cursor: null });
  assertEquals((await peer.line()).after, undefined);
  await watched.until("welcome");
  assertEquals(watched.of("gap"), []);
});

Deno.test("Keywire: what on() returns undoes a listener that captures, too", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url);
  let calls = 0;
  watched.client.on("message", () => calls++, { capture: true })();
  (await peer.line()).say(said("a"));
  await watched.until("message");
  assertEquals(calls, 0);
});

Deno.test("Keywire reads several lines a frame and ignores what it does not know", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url);
  const line = await peer.line();
  line.say(said("a"), { type: "fireworks", cursor: "?" }, { ...said("b"), colour: "red" });
  line.raw('\nnonsense\n{"type":7}\nnull\n[]\n{"cursor":"x"}\n');
  line.say(said("c"), { type: "gap", cursor: "d", source: "stream" });
  assertEquals(await watched.until("gap"), { type: "gap", cursor: "d", sources: ["stream"] });
  assertEquals(watched.messages, [{ name: "a" }, { name: "b" }, { name: "c" }]);
});

for (const code of [1001, 1012, 4408, 1011, 4999]) {
  Deno.test(`Keywire comes back after ${code} and resumes behind the last event`, async () => {
    await using peer = new Peer();
    using watched = new Watched(peer.url);
    const first = await peer.line();
    first.say(said("a"), said("b"));
    await watched.until("message", 2);
    first.end(code);
    const second = await peer.line();
    assertEquals(second.after, "b");
    second.say(said("c"));
    await watched.until("message", 3);
    const close = await watched.until("close");
    assertEquals({ code: close.code, retry: close.retry }, { code, retry: true });
    assert((close.retryMs as number) <= 30, `${close.retryMs}`);
  });
}

Deno.test("Keywire keeps its old cursor until what it missed is there", async () => {
  await using peer = new Peer();
  peer.welcome = ({ after }) => ({
    type: "welcome",
    cursor: "head",
    ...(after === "mine" ? { recovered: true } : { recovered: false, lost: ["channel"] }),
  });
  using watched = new Watched(peer.url, { cursor: "mine" });
  const first = await peer.line();
  assertEquals(first.after, "mine");
  await watched.until("welcome");
  assertEquals(watched.client.cursor, "mine");
  first.end();
  const second = await peer.line();
  assertEquals(second.after, "mine");
  second.say({ type: "pong", cursor: "later" });
  await waitFor("the pong's cursor", () => watched.client.cursor === "later");
  second.end();
  await peer.line();
  // This time the server does not know the cursor, so its own is the one to go on from.
  const gap = await watched.until("gap");
  assertEquals(gap, { type: "gap", cursor: "head", sources: ["channel"] });
  assertEquals(watched.client.cursor, "head");
});

Deno.test("Keywire leaves a draining node when its time has come, and comes back at once", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url, { minDelayMs: 60_000, maxDelayMs: 60_000 });
  const first = await peer.line();
  const saidAt = performance.now();
  first.say({ type: "reconnect", cursor: "a", retryMs: 200 });
  first.say(said("b"));
  await watched.until("message");
  const second = await peer.line();
  assert(second.at - saidAt >= 195, `came back after ${second.at - saidAt} ms`);
  assertEquals(second.after, "b");
  await first.over();
  assertEquals(await watched.until("close"), {
    type: "close",
    code: 1000,
    reason: "reconnect",
    retry: true,
    retryMs: 0,
  });
});

Deno.test("Keywire hears nothing more of a connection that it left", async () => {
  await using peer = new Peer();
  const sockets: WebSocket[] = [];
  /** Goes on talking after it was closed, as some implementations do until the peer has agreed. */
  class Lingering extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
    override close() {}
  }
  using watched = new Watched(peer.url, { WebSocket: Lingering });
  const first = await peer.line();
  first.say({ type: "reconnect", retryMs: 0 }, said("in time"));
  const second = await peer.line();
  const heard = new Promise((resolve) => sockets[0]!.addEventListener("message", resolve));
  first.say(said("too late"));
  await heard;
  second.say(said("new"));
  await watched.until("message", 2);
  assertEquals(watched.messages, [{ name: "in time" }, { name: "new" }]);
});

Deno.test("Keywire stops within a frame when a listener closes it", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url);
  watched.client.addEventListener("message", () => watched.client.close());
  const line = await peer.line();
  line.say(said("a"), said("b"));
  await line.over();
  assertEquals(watched.messages, [{ name: "a" }]);
  assertEquals(watched.client.cursor, "a");
  assertEquals(watched.fired.at(-1), { type: "state", state: "closed", transport: "websocket" });
});

Deno.test("Keywire survives a listener that throws", async () => {
  await using peer = new Peer();
  const errors: string[] = [];
  const listener = (event: ErrorEvent) => {
    event.preventDefault();
    errors.push(event.message);
  };
  globalThis.addEventListener("error", listener);
  using watched = new Watched(peer.url);
  watched.client.addEventListener("message", () => {
    throw new Error("mine");
  });
  (await peer.line()).say(said("a"), said("b"));
  await watched.until("message", 2);
  assertEquals(errors.length, 2);
  globalThis.removeEventListener("error", listener);
});

Deno.test("Keywire asks whether a quiet connection lives", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url);
  const line = await peer.line();
  await waitFor("five pings", () => line.heard.length >= 5);
  assertEquals(new Set(line.heard), new Set(["ping"]));
  assertEquals(watched.of("close"), []);
});

Deno.test("Keywire gives a silent connection up and resumes on another", async () => {
  await using peer = new Peer();
  peer.answers = false;
  using watched = new Watched(peer.url);
  const first = await peer.line();
  first.say(said("a"));
  const second = await peer.line();
  assertEquals(second.after, "a");
  assertEquals((await watched.until("close")).reason, "silent");
  assert(first.heard.length >= 2, "it asked twice before");
});

Deno.test("Keywire closes when the key that it was given is revoked", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url);
  (await peer.line()).end(4403);
  assertEquals(await watched.until("close"), {
    type: "close",
    code: 4403,
    reason: "",
    retry: false,
  });
  assertEquals(watched.client.state, "closed");
  assertEquals(peer.visits.length, 1);
});

Deno.test("Keywire asks its key function before every attempt, and again when refused", async () => {
  await using peer = new Peer();
  const asked: boolean[] = [];
  const key = ({ refused }: { refused: boolean }) => Promise.resolve(`key ${asked.push(refused)}`);
  using watched = new Watched(peer.url, { key });
  (await peer.line()).end();
  const second = await peer.line();
  assertEquals(second.key, "key 2");
  second.end(4403);
  const third = await peer.line();
  assertEquals(third.key, "key 3");
  await watched.until("welcome", 3);
  // It was welcomed with the new key, so that one may be revoked in its turn.
  third.end(4403);
  assertEquals((await peer.line()).key, "key 4");
  assertEquals(asked, [false, false, true, true]);
});

Deno.test("Keywire closes when its key function has no other key", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url, { key: () => "same" });
  (await peer.line()).end(4403);
  await waitFor("closed", () => watched.client.state === "closed");
  assertEquals(watched.of("close").map(({ code, retry }) => ({ code, retry })), [
    { code: 4403, retry: true },
    { code: 4403, retry: false },
  ]);
  assertEquals(peer.visits.length, 1);
});

Deno.test("Keywire closes when the other key is refused too", async () => {
  await using peer = new Peer();
  peer.refuse = () => problem(403, "Unknown key");
  let asked = 0;
  using watched = new Watched(peer.url, { key: () => `key ${++asked}` });
  await waitFor("closed", () => watched.client.state === "closed");
  assertEquals(asked, 2);
  const { code, reason, retry } = watched.of("close").at(-1)!;
  assertEquals({ code, reason, retry }, { code: 403, reason: "Unknown key", retry: false });
});

Deno.test("Keywire closes without a key, and asks again when the function throws", async () => {
  await using peer = new Peer();
  const answers = [() => Promise.reject(new Error("away")), () => Promise.resolve(undefined)];
  using watched = new Watched(peer.url, { key: () => answers.shift()!() });
  await waitFor("closed", () => watched.client.state === "closed");
  assertEquals(watched.of("close").map(({ reason, retry }) => ({ reason, retry })), [
    { reason: "no key: Error: away", retry: true },
    { reason: "no key", retry: false },
  ]);
  assertEquals(peer.visits, []);
});

Deno.test("Keywire asks by HTTP why a dial failed, and obeys Retry-After", async () => {
  await using peer = new Peer();
  peer.refuse = () =>
    peer.visits.length > 2 ? undefined : new Response(null, {
      status: 503,
      headers: { "retry-after": "1" },
    });
  using watched = new Watched(peer.url);
  const close = await watched.until("close");
  assertEquals(close.code, 503);
  globalThis.dispatchEvent(new Event("online")); // it must not hurry now
  await watched.until("welcome");
  const [first, second, third] = peer.visits.map(({ transport, at }) => ({ transport, at }));
  assertEquals([first, second, third].map((visit) => visit?.transport), [
    "websocket",
    "sse",
    "websocket",
  ]);
  assert(third!.at - second!.at >= 995, `came back after ${third!.at - second!.at} ms`);
});

Deno.test("Keywire reads a Retry-After that is a date", async () => {
  await using peer = new Peer();
  const date = new Date(Date.now() + 3_600_000).toUTCString();
  peer.refuse = () => new Response(null, { status: 429, headers: { "retry-after": date } });
  using watched = new Watched(peer.url);
  const { code, retryMs } = await watched.until("close");
  assertEquals(code, 429);
  assert((retryMs as number) > 3_590_000 && (retryMs as number) < 3_601_000, `${retryMs}`);
});

Deno.test("Keywire closes when the server calls its request malformed", async () => {
  await using peer = new Peer();
  peer.refuse = () => problem(400, "The key is too long");
  using watched = new Watched(peer.url);
  await waitFor("closed", () => watched.client.state === "closed");
  assertEquals(watched.of("close"), [
    { type: "close", code: 400, reason: "The key is too long", retry: false },
  ]);
});

Deno.test("Keywire waits for a server that is away, more and more patiently", async () => {
  let port: number;
  {
    await using gone = new Peer();
    port = gone.port;
  }
  using watched = new Watched(`ws://127.0.0.1:${port}/`);
  await watched.until("close", 8);
  const waits = watched.of("close").map(({ retryMs }) => retryMs as number);
  assert(waits.every((ms, n) => ms <= Math.min(30, 4 * 2 ** n)), waits.join());
  assert(new Set(waits).size > 2, `jittered: ${waits.join()}`);
  assert(Math.max(...waits) > 4, `growing: ${waits.join()}`);
  await using peer = new Peer(port);
  await peer.line();
  await watched.until("welcome");
});

Deno.test("Keywire is impatient again after a connection that lasted", async () => {
  await using peer = new Peer();
  peer.refuse = () => peer.visits.length > 18 ? undefined : new Response(null, { status: 503 });
  using watched = new Watched(peer.url, { minDelayMs: 1, maxDelayMs: 1_000 });
  const line = await peer.line();
  const failed = watched.of("close").length;
  assertEquals(failed, 9);
  await waitFor("a ping", () => line.heard.length > 0);
  line.end(1012);
  const { retryMs } = await watched.until("close", failed + 1);
  assert((retryMs as number) <= 1, `${retryMs}`);
});

/** Runs a test where the browser says whether there is a network. */
async function withOnLine(body: (set: (onLine: boolean) => void) => Promise<void>): Promise<void> {
  let onLine = false;
  Object.defineProperty(navigator, "onLine", { get: () => onLine, configurable: true });
  try {
    await body((value) => onLine = value);
  } finally {
    delete (navigator as { onLine?: boolean }).onLine;
  }
}

Deno.test("Keywire connects though the browser says that there is no network", async () => {
  await withOnLine(async () => {
    await using peer = new Peer();
    using watched = new Watched(peer.url);
    const line = await peer.line();
    await watched.until("welcome");
    line.end(1012);
    await peer.line();
    await watched.until("welcome", 2);
    assertEquals(watched.of("state").map(({ state }) => state), [
      "open",
      "offline",
      "connecting",
      "open",
    ]);
  });
});

Deno.test("Keywire tries slowly while there is no network, and hurries when it is back", async () => {
  await withOnLine(async (set) => {
    await using peer = new Peer();
    peer.refuse = () => new Response(null, { status: 502 });
    using watched = new Watched(peer.url, { minDelayMs: 1, maxDelayMs: 1e8 });
    await waitFor("offline", () => watched.client.state === "offline");
    const { retryMs } = await watched.until("close");
    assert((retryMs as number) >= 5e7, `${retryMs}`);
    assertEquals(watched.of("error"), []);
    peer.refuse = () => undefined;
    set(true);
    globalThis.dispatchEvent(new Event("online"));
    await watched.until("welcome");
  });
});

Deno.test("Keywire asks at once whether its connection outlived a change of network", async () => {
  await using peer = new Peer();
  using watched = new Watched(peer.url, { pingMs: 3_000 });
  const line = await peer.line();
  await watched.until("welcome");
  globalThis.dispatchEvent(new Event("online"));
  await waitFor("a ping", () => line.heard.length === 1, 1_400);
  peer.answers = false;
  globalThis.dispatchEvent(new Event("online"));
  await waitFor("another connection", () => peer.visits.length === 2, 2_900);
});
