import { assert, assertEquals } from "@std/assert";
import { handshake } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { StalledClient } from "../support/stalled_client.ts";
import { waitFor } from "../support/wait.ts";

/** A refusal as every transport says it. */
interface Refusal {
  readonly status: number;
  readonly detail: string;
  readonly retryAfter: number;
}

const BAD_ORIGIN = { Origin: "https://evil.example" };
const from = (address: string) => ({ "X-Forwarded-For": address });

/** What each transport answers, which must be the same. */
async function refusal(
  gateway: KeywireProcess,
  query: string,
  headers: Record<string, string> = {},
): Promise<Refusal> {
  const { status, text } = await handshake(gateway.port, `/websocket?${query}`, headers);
  const expected = {
    status,
    detail: /"detail":"([^"]*)"/.exec(text)?.[1] ?? text,
    retryAfter: Number(/retry-after: (\d+)/i.exec(text)?.[1] ?? 0),
  };
  for (
    const [path, more] of [
      ["/events", {}],
      ["/websocket", { "X-Socket-Transport": "xhrPolling" }],
    ] as const
  ) {
    const response = await fetch(`${gateway.url}${path}?${query}`, {
      headers: { ...headers, ...more },
    });
    if (response.ok) await response.body?.cancel(); // an event stream would never end
    assertEquals(response.status, status, path);
    const actual = {
      status: response.status,
      detail: (await response.json()).detail,
      retryAfter: Number(response.headers.get("Retry-After")),
    };
    assertEquals(actual, expected, path);
  }
  return expected;
}

Deno.test("limits refuse before the upgrade, with a status each and when to come back", async (t) => {
  await t.step("of a key, which counts all transports", async () => {
    await using gateway = await startKeywire({ MAX_CONNECTIONS_PER_KEY: "2" });
    using one = await StalledClient.open(gateway.port, "demo");
    using _two = await StalledClient.open(gateway.port, "demo", { sse: true });
    const { status, detail, retryAfter } = await refusal(gateway, "demo");
    assertEquals([status, retryAfter > 0], [429, true]);
    assert(detail.includes("MAX_CONNECTIONS_PER_KEY"), detail);
    // Another key has its own, and an unknown one is told that it is unknown.
    assertEquals(
      (await handshake(gateway.port, "/websocket?00721b2a-046c-4ecc-a5df-5f808cc6c58f")).status,
      101,
    );
    assertEquals((await refusal(gateway, "unknown")).status, 403);
    one[Symbol.dispose]();
    await admitted(gateway, "demo");
  });

  await t.step("of an address, as its proxy tells it", async () => {
    await using gateway = await startKeywire({
      MAX_CONNECTIONS_PER_IP: "1",
      TRUSTED_PROXIES: "127.0.0.1,10.0.0.0/8",
    });
    const hold = (headers: Record<string, string>) =>
      StalledClient.open(gateway.port, "demo", { headers });
    using one = await hold(from("203.0.113.7, 10.1.2.3"));
    const { status, detail, retryAfter } = await refusal(gateway, "demo", from("203.0.113.7"));
    assertEquals([status, retryAfter > 0], [429, true]);
    assert(detail.includes("MAX_CONNECTIONS_PER_IP"), detail);
    // What the client itself wrote, on the left of what proxies appended, hides no address.
    assertEquals(
      (await refusal(gateway, "demo", from("198.51.100.1, 203.0.113.7"))).status,
      429,
    );
    using _other = await hold(from("203.0.113.8"));
    one[Symbol.dispose]();
    await admitted(gateway, "demo", from("203.0.113.7"));
  });

  await t.step("of an address, where no proxy is trusted", async () => {
    await using gateway = await startKeywire({ MAX_CONNECTIONS_PER_IP: "1" });
    using _one = await StalledClient.open(gateway.port, "demo", { headers: from("203.0.113.7") });
    assertEquals((await refusal(gateway, "demo", from("203.0.113.8"))).status, 429);
  });

  await t.step("of a network of IPv6, however its addresses are written", async () => {
    await using gateway = await startKeywire({
      MAX_CONNECTIONS_PER_IP: "2",
      TRUSTED_PROXIES: "127.0.0.1",
    });
    const hold = (address: string) =>
      StalledClient.open(gateway.port, "demo", { headers: from(address) });
    using _one = await hold("2001:db8:0:7::1");
    using _two = await hold("2001:DB8:0:7:ffff::2");
    for (const address of ["2001:db8:0:7::3", "2001:0db8:0000:0007::4", "[2001:db8:0:7::5]:443"]) {
      assertEquals((await refusal(gateway, "demo", from(address))).status, 429, address);
    }
    await admitted(gateway, "demo", from("2001:db8:0:8::1"));
  });

  await t.step("of the node, and a refused look-up gives its slot back", async () => {
    await using gateway = await startKeywire({ MAX_CONNECTIONS: "2" });
    using _one = await StalledClient.open(gateway.port, "demo");
    for (let i = 0; i < 5; i++) assertEquals((await refusal(gateway, "unknown")).status, 403);
    using _two = await StalledClient.open(gateway.port, "demo", { sse: true });
    const { status, detail, retryAfter } = await refusal(gateway, "demo");
    assertEquals([status, retryAfter > 0], [503, true]);
    assert(/MAX_CONNECTIONS:/.test(detail), detail);
    const metrics = await gateway.metrics();
    assertEquals(metrics.get("keywire_connection_slots_used"), 2);
    assertEquals(
      metrics.get('keywire_connects_refused_total{reason="node_limit",status="503"}'),
      3,
    );
  });
});

Deno.test("a client that several things stand against is told the first of them", async () => {
  await using gateway = await startKeywire({
    ALLOWED_ORIGINS: "https://app.example",
    MAX_CONNECTIONS: "1",
    MAX_CONNECTIONS_PER_IP: "1",
    MAX_CONNECTIONS_PER_KEY: "1",
    TRUSTED_PROXIES: "127.0.0.1",
  });
  using _one = await StalledClient.open(gateway.port, "demo", { headers: from("203.0.113.7") });
  const told = async (query: string, headers = {}) =>
    (await handshake(gateway.port, `/websocket?${query}`, headers)).status;
  assertEquals(await told("%zz", { ...BAD_ORIGIN, "Sec-WebSocket-Version": "8" }), 426);
  assertEquals(await told("%zz", BAD_ORIGIN), 403);
  assertEquals(await told("%zz"), 400);
  assertEquals(await told("unknown", from("203.0.113.7")), 503); // the node's limit, before all others

  await using roomy = await startKeywire({
    MAX_CONNECTIONS_PER_IP: "1",
    MAX_CONNECTIONS_PER_KEY: "1",
    TRUSTED_PROXIES: "127.0.0.1",
  });
  using _two = await StalledClient.open(roomy.port, "demo", { headers: from("203.0.113.7") });
  assertEquals((await refusal(roomy, "unknown", from("203.0.113.7"))).status, 429);
  assertEquals((await refusal(roomy, "unknown", from("203.0.113.8"))).status, 403);
  const { detail } = await refusal(roomy, "demo", from("203.0.113.8"));
  assert(detail.includes("MAX_CONNECTIONS_PER_KEY"), detail);
});

async function admitted(
  gateway: KeywireProcess,
  key: string,
  headers: Record<string, string> = {},
): Promise<void> {
  await waitFor("the slot to be free again", async () => {
    return (await handshake(gateway.port, `/websocket?${key}`, headers)).status === 101;
  });
}
