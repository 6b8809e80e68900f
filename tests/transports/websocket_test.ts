import { assert, assertEquals, assertMatch } from "@std/assert";
import { abortHandshake, handshake, items, openSocket, publish } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { waitFor } from "../support/wait.ts";

/** So many clients at once, in a gateway that lets few in by one key. */
const crowd = Array.from({ length: 25 }, (_, n) => `crowd${n}`);

Deno.test("WebSocketTransport", async (t) => {
  await using gateway = await startKeywire({
    EMBEDDED_KEYS: ["demo", "other", "naïve key", ...crowd].join(","),
    ALLOWED_ORIGINS: "https://app.example",
    MAX_CONNECTIONS_PER_KEY: "3",
    MAX_MESSAGE_BYTES: "2000000",
    MAX_BUFFERED_BYTES: "4000000",
  });
  const { url, port } = gateway;

  await t.step("two tabs of one key both hear, and closing one leaves the other", async () => {
    using one = await openSocket(url, "demo");
    using two = await openSocket(url, "demo");
    await publish(url, { recipients: ["demo"], n: 1 });
    assertEquals(await items(one.frames, 1), ['{"n":1}']);
    assertEquals(await items(two.frames, 1), ['{"n":1}']);
    one.socket.close();
    await one.closed;
    await publish(url, { recipients: ["demo"], n: 2 });
    assertEquals(await items(two.frames, 2), ['{"n":1}', '{"n":2}']);
  });

  await t.step("delivers every other byte as it was written", async () => {
    using client = await openSocket(url, "demo");
    await publish(
      url,
      '{"a":12345678901234567890,"recipients":["demo","demo"],"b":1e400,\n"c":1.0,"d":"\\u00e9\\/"}',
    );
    assertEquals(await items(client.frames, 1), [
      '{"a":12345678901234567890,"b":1e400, "c":1.0,"d":"\\u00e9\\/"}',
    ]);
  });

  await t.step("answers ping, and ignores other texts", async () => {
    using client = await openSocket(url, "demo");
    client.socket.send("hello");
    client.socket.send(new Uint8Array([1, 2, 3]));
    client.socket.send("ping");
    assertEquals(await items(client.frames, 1), ["heartbeat message"]);
    assertEquals((await gateway.metrics()).get("keywire_client_texts_ignored_total"), 2);
  });

  await t.step("keywire.v1 gets several events in a frame, and pong behind them", async () => {
    using client = await openSocket(url, "demo", { v1: true });
    assertEquals(client.socket.protocol, "keywire.v1");
    await publish(url, { recipients: "*", n: 1 });
    await items(client.events, 2);
    client.socket.send("ping");
    const events = await items(client.events, 3);
    assertEquals(events.map((event) => event.type), ["welcome", "message", "pong"]);
    assertEquals(events[1]!.message, { n: 1 });
    for (const { cursor } of events) assertMatch(String(cursor), /^[A-Za-z0-9._~-]{1,128}$/);
  });

  await t.step("takes the key from a subprotocol and never reflects it", async () => {
    const secret = btoa("demo").replaceAll("=", "");
    for (const offered of [`key.${secret}, keywire.v1`, `keywire.v1,key.${secret}`]) {
      const { status, text } = await handshake(port, "/websocket", {
        "Sec-WebSocket-Protocol": offered,
      });
      assertEquals(status, 101);
      assertMatch(text, /sec-websocket-protocol: keywire\.v1\r\n/i);
      assert(!text.includes(secret));
    }
    const alone = await handshake(port, "/websocket", {
      "Sec-WebSocket-Protocol": `key.${secret}`,
    });
    assertEquals(alone.status, 101);
    assert(!/sec-websocket-protocol/i.test(alone.text));
  });

  await t.step("refuses before the upgrade, each fault with its status", async () => {
    const path = "/websocket?demo";
    const cases: [number, string, Record<string, string>][] = [
      [101, path, {}],
      [101, path, { Connection: "keep-alive, uPGRADE", Upgrade: "WebSocket" }],
      [101, path, { Upgrade: "h2c, websocket" }],
      [101, path, { Origin: "https://app.example" }],
      [101, "/websocket?na%C3%AFve%20key", {}],
      [426, path, { "Sec-WebSocket-Version": "8" }],
      [400, path, { Host: "" }],
      [400, path, { Upgrade: "h2c" }],
      [400, path, { Connection: "close" }],
      [400, path, { "Sec-WebSocket-Key": "" }],
      [400, path, { "Sec-WebSocket-Key": "short" }],
      [403, path, { Origin: "https://evil.example" }],
      [403, "/websocket?unknown", {}],
      [403, "/websocket?%7B%22$ne%22:null%7D", {}],
      [400, "/websocket", {}],
      [400, "/websocket?%zz", {}],
      [400, "/websocket?%FF", {}],
      [400, "/websocket?key=demo&key=demo", {}],
      [400, "/websocket?" + "x".repeat(257), {}],
      [400, path, { Authorization: "Bearer " }],
    ];
    for (const [status, path, headers] of cases) {
      const answer = await handshake(port, path, headers);
      assertEquals(answer.status, status, `${path} ${JSON.stringify(headers)}\n${answer.text}`);
      if (status !== 101) {
        assertMatch(answer.text, /content-type: application\/problem\+json/i);
      }
    }
    for (const method of ["POST", "HEAD", "PUT"]) {
      const { status } = await handshake(port, path, {}, method);
      assert(status >= 400 && status < 500, `${method}: ${status}`);
    }
    const wrong = await handshake(port, path, { "Sec-WebSocket-Version": "8" });
    assertMatch(wrong.text, /sec-websocket-version: 13\r\n/i);
  });

  await t.step("a key has a limit, and gets its place back when a socket is gone", async () => {
    const sockets = await Promise.all([1, 2, 3].map(() => openSocket(url, "other")));
    const full = await handshake(port, "/websocket?other");
    assertEquals(full.status, 429);
    assertMatch(full.text, /retry-after: \d+/i);
    sockets[0]!.socket.close();
    await sockets[0]!.closed;
    // Its client may know of the end before the gateway does.
    using again = await waitFor("its place", () => openSocket(url, "other").catch(() => undefined));
    await publish(url, { recipients: ["other"], n: 1 });
    await items(again.frames, 1);
    for (const client of sockets) client.socket.close();
    await Promise.all(sockets.map((client) => client.closed));
  });

  await t.step("one message of the largest size closes no connection", async () => {
    using client = await openSocket(url, "demo", { v1: true });
    const response = await publish(url, { recipients: ["demo"], x: "x".repeat(1_999_000) });
    assertEquals(response.status, 202);
    const [, event] = await items(client.events, 2);
    assertEquals((event!.message as { x: string }).x.length, 1_999_000);
    assertEquals((await publish(url, { recipients: [], x: "x".repeat(2_000_000) })).status, 413);
  });

  await t.step("ends a client that says what no client has to say", async () => {
    using large = await openSocket(url, "demo");
    large.socket.send("x".repeat(4_097));
    assertEquals((await large.closed).code, 1009);
    using binary = await openSocket(url, "demo");
    binary.socket.send(new Uint8Array(4_097));
    assertEquals((await binary.closed).code, 1009);
    using flood = await openSocket(url, "demo", { v1: true });
    for (let n = 0; n < 3_000; n++) flood.socket.send("ping");
    assertEquals((await flood.closed).code, 4429);
    using lively = await openSocket(url, "demo");
    for (let n = 0; n < 900; n++) lively.socket.send("x");
    lively.socket.send("ping");
    assertEquals(await items(lively.frames, 1), ["heartbeat message"]);
  });

  await t.step(
    "an aborted handshake gives its slot and its descriptor back, whenever its peer goes",
    async () => {
      const slots = async () => (await gateway.metrics()).get("keywire_connection_slots_used")!;
      await waitFor("the sockets of before to be gone", async () => await slots() === 0);
      const descriptors = () => [...Deno.readDirSync(`/proc/${gateway.pid}/fd`)].length;
      const before = descriptors();
      for (let round = 0; round < 16; round++) {
        await Promise.all(crowd.map((key) => {
          return abortHandshake(port, `/websocket?${key}`, 25 * Math.random() ** 2);
        }));
      }
      await waitFor("the slots to be free", async () => await slots() === 0, 15_000);
      using again = await openSocket(url, "other");
      await publish(url, { recipients: ["other"], n: 1 });
      await items(again.frames, 1);
      again.socket.close();
      await again.closed;
      await waitFor("the descriptors to be free", () => descriptors() <= before, 15_000);
    },
  );

  await t.step("no key is ever logged", () => {
    const log = gateway.log.split("\n").filter((line) =>
      !/Publish to the demo key|Descriptors:/.test(line)
    );
    for (const key of ["demo", "unknown", "naïve"]) {
      assert(!log.join().includes(key), log.join("\n"));
    }
  });
});
