import { assert, assertEquals, assertRejects } from "@std/assert";
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

  await t.step("the API answers no page", async () => {
    const response = await fetch(`${url}/api/publish`, {
      method: "OPTIONS",
      headers: { Origin: "https://app.example", "Access-Control-Request-Method": "POST" },
    });
    await response.body?.cancel();
    assertEquals(response.headers.get("Access-Control-Allow-Origin"), null);
  });
});
