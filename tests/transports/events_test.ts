import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { items, openEvents, publish } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { waitFor } from "../support/wait.ts";

Deno.test("EventsTransport", async (t) => {
  await using gateway = await startKeywire({ ALLOWED_ORIGINS: "https://app.example" });
  const { url } = gateway;

  await t.step("is welcomed, hears at once, and is forgotten when it leaves", async () => {
    using client = await openEvents(url, "demo");
    const [welcome] = await items(client.blocks, 1);
    assert(welcome!.includes("event: welcome"), welcome);
    await publish(url, '{"recipients":["demo"],"n":\r\n1.0}');
    assertEquals(await items(client.messages, 1), ['{"n":  1.0}']);
    client[Symbol.dispose]();
    await waitFor(
      "the stream to be forgotten",
      async () => (await gateway.metrics()).get("keywire_connection_slots_used") === 0,
    );
  });

  await t.step("refuses with a status and lets an allowed page read it", async () => {
    await assertRejects(() => openEvents(url, "unknown"), Error, "403");
    const ask = (origin: string, init: RequestInit = {}) =>
      fetch(`${url}/events?unknown`, { ...init, headers: { Origin: origin, ...init.headers } });
    const allowed = await ask("https://app.example");
    assertEquals(allowed.headers.get("Access-Control-Allow-Origin"), "https://app.example");
    assertEquals(allowed.headers.get("Access-Control-Expose-Headers"), "Retry-After");
    assertEquals(allowed.headers.get("Access-Control-Allow-Credentials"), null);
    assertEquals(allowed.headers.get("Content-Type"), "application/problem+json");
    assertEquals((await allowed.json()).status, 403);
    const other = await ask("https://evil.example");
    assertEquals(other.headers.get("Access-Control-Allow-Origin"), null);
    await other.body?.cancel();
    const preflight = await ask("https://app.example", {
      method: "OPTIONS",
      headers: {
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,last-event-id",
      },
    });
    assertEquals(preflight.status, 204);
    assertEquals(preflight.headers.get("Access-Control-Allow-Methods"), "GET, POST");
    assert(preflight.headers.get("Access-Control-Allow-Headers")!.includes("Last-Event-ID"));
  });

  await t.step(
    "a preflight allows every header, and POST, which opens the stream too",
    async () => {
      const preflight = await fetch(`${url}/events?demo`, {
        method: "OPTIONS",
        headers: {
          Origin: "https://app.example",
          "Access-Control-Request-Method": "POST",
          "Access-Control-Request-Headers": "cache-control,x-requested-with,traceparent",
        },
      });
      assertEquals(preflight.headers.get("Access-Control-Allow-Methods"), "GET, POST");
      assertMatch(preflight.headers.get("Access-Control-Allow-Headers")!, /^\*, Authorization/);
      const response = await fetch(`${url}/events?demo`, { method: "POST", body: "{}" });
      assertEquals(response.status, 200);
      await response.body?.cancel();
    },
  );

  await t.step("another method opens no stream: who asks by HEAD is not present", async () => {
    const opened = async () =>
      (await gateway.metrics()).get('keywire_connects_total{transport="sse"}');
    const before = await opened();
    for (const method of ["HEAD", "PUT", "DELETE"]) {
      const response = await fetch(`${url}/events?demo`, { method });
      assertEquals([method, response.status], [method, 405]);
      assertEquals(response.headers.get("Allow"), "GET, POST");
      await response.body?.cancel();
    }
    assertEquals(await opened(), before);
  });

  await t.step("a welcome tells when to come back, spread over 2 seconds", async () => {
    const waits = new Set<number>();
    for (let n = 0; n < 5; n++) {
      using client = await openEvents(url, "demo");
      const [welcome] = await items(client.blocks, 1);
      const retry = Number(/^retry: (\d+)$/m.exec(welcome!)?.[1]);
      assert(retry >= 2_000 && retry <= 4_000, welcome);
      waits.add(retry);
    }
    assert(waits.size > 1);
  });

  await t.step("a refusal that passes is a stream to a browser, a problem to others", async () => {
    await using full = await startKeywire({ MAX_CONNECTIONS: "1" });
    using _one = await openEvents(full.url, "demo");
    const ask = (accept: string) =>
      fetch(`${full.url}/events?demo`, { headers: { Accept: accept } });
    const native = await ask("text/event-stream");
    assertEquals(native.status, 200);
    assertMatch(native.headers.get("Content-Type")!, /^text\/event-stream/);
    const text = await native.text();
    const [, retry] = /^retry: (\d+)\n$/.exec(text) ?? [];
    assert(Number(retry) >= 10_000 && Number(retry) <= 20_000, JSON.stringify(text));
    for (const accept of ["*/*", "text/event-stream, application/problem+json"]) {
      const other = await ask(accept);
      assertEquals(other.status, 503, accept);
      assertEquals(other.headers.get("Retry-After"), "10");
      assertEquals((await other.json()).status, 503);
    }
    const unknown = await fetch(`${url}/events?unknown`, {
      headers: { Accept: "text/event-stream" },
    });
    assertEquals(unknown.status, 403, "what does not pass is no stream");
    await unknown.body?.cancel();
  });

  await t.step("the API answers no page", async () => {
    const response = await fetch(`${url}/api/publish`, {
      method: "OPTIONS",
      headers: { Origin: "https://app.example", "Access-Control-Request-Method": "POST" },
    });
    await response.body?.cancel();
    assertEquals(response.headers.get("Access-Control-Allow-Origin"), null);
  });
});
