import { assert, assertEquals } from "@std/assert";
import { BulletPolling } from "../support/bullet.ts";
import { items, publish } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { waitFor } from "../support/wait.ts";

const connections = async (gateway: { metrics(): Promise<Map<string, number>> }) =>
  (await gateway.metrics()).get("keywire_connections");

Deno.test("PollingTransport", async (t) => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "demo,quiet,away,two,kept,slow" });
  const { url } = gateway;
  const at = (key: string) => `${url}/websocket?${key}`;

  // The two that take their time go first and are looked at last.
  const start = performance.now();
  using quiet = new BulletPolling(at("quiet"));
  await quiet.opened;
  assert(performance.now() - start < 15_000, "the opening poll is answered at once");
  const away = new BulletPolling(at("away"));
  await away.opened;
  away[Symbol.dispose]();
  const awaySince = performance.now();

  await t.step("loses nothing between polls, one message a response, in order", async () => {
    using client = new BulletPolling(at("demo"));
    await client.opened;
    for (let n = 0; n < 20; n++) await publish(url, { recipients: ["demo"], n });
    const got = await items(client.messages, 20);
    assertEquals(got, [...Array(20).keys()].map((n) => `{"n":${n}}`));
    assertEquals(client.polls, 21);
    assertEquals(await client.send("ping"), "heartbeat message");
    assertEquals(await client.send("something"), "");
  });

  await t.step("two tabs of one key are two connections, and both hear everything", async () => {
    using one = new BulletPolling(at("two"));
    await waitFor("the first tab's poll", () => one.polling);
    for (let i = 0; i < 3; i++) await (await fetch(`${url}/health`)).text(); // its poll is in
    using two = new BulletPolling(at("two"), { pauseMs: 30 });
    await two.opened;
    for (let n = 0; n < 10; n++) await publish(url, { recipients: ["two"], n });
    const expected = [...Array(10).keys()].map((n) => `{"n":${n}}`);
    assertEquals(await items(one.messages, 10), expected);
    assertEquals(await items(two.messages, 10), expected);
  });

  await t.step("a key is looked up on opening, and an unknown one is refused", async () => {
    using client = new BulletPolling(at("unknown"));
    assertEquals(await client.failed, 403);
  });

  await t.step("a POST opens nothing", async () => {
    for (const key of ["kept", "unknown"]) {
      const response = await fetch(at(key), {
        method: "POST",
        headers: { "X-Socket-Transport": "xhrPolling" },
        body: "ping",
      });
      await response.body?.cancel();
      assertEquals(response.status, 409);
    }
  });

  const gone = async () => {
    const response = await publish(url, { recipients: ["away"] });
    return (await response.json()).offline.length === 1;
  };
  await t.step("a connection lives on between polls", async () => {
    assertEquals(await gone(), false);
  });

  await t.step("a poller has one POST at a time, and its body 5 s to arrive", async () => {
    using client = new BulletPolling(at("slow"));
    await client.opened;
    const slow = await Deno.connect({ port: gateway.port });
    const head = "POST /websocket?slow HTTP/1.1\r\nHost: a\r\nX-Socket-Transport: xhrPolling\r\n";
    await slow.write(new TextEncoder().encode(`${head}Content-Length: 4\r\n\r\npi`));
    const headers = { "X-Socket-Transport": "xhrPolling" };
    const post = async () => {
      const response = await fetch(at("slow"), { method: "POST", headers, body: "ping" });
      await response.body?.cancel();
      return response.status;
    };
    await waitFor("the second to be refused", async () => await post() === 429);
    const answer = new Uint8Array(100);
    const text = new TextDecoder().decode(answer.subarray(0, await slow.read(answer) ?? 0));
    assert(text.startsWith("HTTP/1.1 408 "), text);
    slow.close();
    assertEquals(await client.send("ping"), "heartbeat message");
  });

  await t.step("works across origins, with its preflight", async () => {
    const origin = "http://page.example";
    const preflight = await fetch(at("kept"), {
      method: "OPTIONS",
      headers: {
        Origin: origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-socket-transport",
      },
    });
    assertEquals(preflight.status, 204);
    assertEquals(preflight.headers.get("Access-Control-Allow-Origin"), "*");
    const allowed = preflight.headers.get("Access-Control-Allow-Headers")!.toLowerCase();
    assert(allowed.includes("x-socket-transport"));
    using client = new BulletPolling(at("kept"), { origin });
    await client.opened;
    await publish(url, { recipients: ["kept"], n: 1 });
    assertEquals(await items(client.messages, 1), ['{"n":1}']);
  });

  await t.step("it does so for 15 s, and then it is gone", async () => {
    await waitFor("the connection to be given up", gone, 20_000);
    assert(performance.now() - awaySince > 14_000);
  });

  await t.step("a poll that hears nothing is answered empty after 25 s", async () => {
    await waitFor("the second answer", () => quiet.polls >= 2, 30_000);
    assertEquals(quiet.messages, []);
    assert(performance.now() - start > 24_000);
    await waitFor("the others to be gone", async () => await connections(gateway) === 1, 20_000);
  });
});

Deno.test("PollingTransport: an origin that is not allowed hears nothing of an open connection, and says nothing to it", async () => {
  const allowed = "https://app.example";
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "a", ALLOWED_ORIGINS: allowed });
  const request = async (origin: string, method = "GET") => {
    const response = await fetch(`${gateway.url}/websocket?a`, {
      method,
      headers: { "X-Socket-Transport": "xhrPolling", Origin: origin },
      ...method === "POST" ? { body: "ping" } : {},
    });
    return { status: response.status, text: await response.text() };
  };
  assertEquals(await request(allowed), { status: 200, text: "" });
  await publish(gateway.url, { recipients: ["a"], n: 1 });
  for (const method of ["GET", "POST"]) {
    const { status, text } = await request("https://evil.example", method);
    assertEquals([method, status, text.includes('"n"')], [method, 403, false]);
  }
  assertEquals(await request(allowed, "POST"), { status: 200, text: "heartbeat message" });
  assertEquals(await request(allowed), { status: 200, text: '{"n":1}' });
  const reason = 'keywire_connects_refused_total{reason="origin",status="403"}';
  assertEquals((await gateway.metrics()).get(reason), 2);
});
