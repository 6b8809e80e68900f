import { assertEquals } from "@std/assert";
import { allow, preflight } from "../../src/http/cors.ts";

const request = (origin?: string) =>
  new Request("http://gateway/events", origin === undefined ? {} : { headers: { Origin: origin } });
const origin = ({ headers }: Response) => headers.get("Access-Control-Allow-Origin");

Deno.test("preflight: any origin may, where all are allowed, with any header", () => {
  const response = preflight(request("https://a.example"), "*");
  assertEquals([response.status, origin(response)], [204, "*"]);
  assertEquals(response.headers.get("Access-Control-Allow-Methods"), "GET, POST");
  const headers = response.headers.get("Access-Control-Allow-Headers")!.split(", ");
  assertEquals(["*", "Authorization"].filter((name) => !headers.includes(name)), []);
  assertEquals(response.headers.has("Access-Control-Allow-Credentials"), false);
});

Deno.test("preflight: a listed origin is named, and caches keep it apart; another is given no leave", () => {
  const allowed = ["https://a.example"];
  const known = preflight(request("https://a.example"), allowed);
  assertEquals([origin(known), known.headers.get("Vary")], ["https://a.example", "Origin"]);
  const stranger = preflight(request("https://b.example"), allowed);
  assertEquals([stranger.status, origin(stranger)], [204, null]);
  assertEquals(stranger.headers.has("Access-Control-Allow-Methods"), false);
});

Deno.test("allow: lets the page read a refusal, and when to come back", () => {
  const refused = allow(new Response("", { status: 429 }), request("https://a.example"), "*");
  assertEquals(origin(refused), "*");
  assertEquals(refused.headers.get("Access-Control-Expose-Headers"), "Retry-After");
});

Deno.test("allow: a request that is no page's gets no such header", () => {
  assertEquals(origin(allow(new Response(""), request(), "*")), null);
});
