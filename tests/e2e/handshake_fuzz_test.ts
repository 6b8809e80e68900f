import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { handshake, items, openSocket, publish } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";

const RUNS = 2_000;

const token = fc.string({ unit: fc.constantFrom(..."azAZ09-_.,; =\t%é\u0001"), maxLength: 40 })
  .map((text) => text.replace(/[^\t -~]/g, "~"));
const pick = (usual: string, ...others: string[]) =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constant(usual) },
    { weight: 2, arbitrary: fc.constantFrom("", ...others) },
    { weight: 1, arbitrary: token },
  );
const path = fc.oneof(
  fc.constantFrom("/websocket", "/websocket?demo", "/websocket?key=demo", "/websocket?%zz"),
  token.map((text) => `/websocket?${text.replace(/[ \t]/g, "+")}`),
  token.map((text) => `/websocket?demo&after=${text.replace(/[ \t]/g, "+")}`),
);
const headers = fc.record({
  Connection: pick("Upgrade", "keep-alive, Upgrade", "close", ",,"),
  Upgrade: pick("websocket", "WebSocket", "h2c, websocket", "h2c", "websocket/13"),
  "Sec-WebSocket-Key": pick("dGhlIHNhbXBsZSBub25jZQ==", "AAAA", "===="),
  "Sec-WebSocket-Version": pick("13", "8", "13, 8", "-1"),
  "Sec-WebSocket-Protocol": pick("keywire.v1", "a,b", "key.", "key.ZGVtbw", ",,,"),
  "Sec-WebSocket-Extensions": pick("", "permessage-deflate", "x; y="),
  Origin: pick("", "https://a.example", "null"),
  Authorization: pick("", "Bearer demo", "Bearer", "Basic eDp5"),
  "Last-Event-ID": pick("", "0-0~~0", "x"),
  "X-Forwarded-For": pick("", "10.0.0.1", "::1", "x,y,z"),
});
const method = fc.constantFrom("GET", "GET", "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS");

Deno.test(`A gateway answers ${RUNS} handshakes, most of them malformed, and none with 500`, async () => {
  await using gateway = await startKeywire({ MAX_CONNECTIONS_PER_KEY: "100000" });
  const cases = fc.sample(fc.tuple(path, headers, method), RUNS);
  const seen = new Map<number, number>();
  const work = cases.values();
  await Promise.all(Array.from({ length: 20 }, async () => {
    for (const [path, headers, method] of work) {
      const { status } = await handshake(gateway.port, path, headers, method)
        .catch(() => ({ status: 0 }));
      assert(!(status >= 500 && status < 600), JSON.stringify([status, path, headers, method]));
      seen.set(status, (seen.get(status) ?? 0) + 1);
    }
  }));
  assert((seen.get(101) ?? 0) > 0 && (seen.get(400) ?? 0) > 100, JSON.stringify([...seen]));
  using client = await openSocket(gateway.url, "demo");
  await publish(gateway.url, { recipients: ["demo"], n: 1 });
  assertEquals(await items(client.frames, 1), ['{"n":1}']);
});
