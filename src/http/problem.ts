import type { Refusal } from "./refusals.ts";

/** A refusal as `application/problem+json` (RFC 9457). */
export function problem(refusal: Refusal, headers: HeadersInit = {}): Response {
  const { status, detail, retryAfter, outcome } = refusal;
  const response = new Response(JSON.stringify({ status, detail, outcome }), { status, headers });
  response.headers.set("Content-Type", "application/problem+json");
  response.headers.set("Cache-Control", "no-store");
  if (retryAfter !== undefined) response.headers.set("Retry-After", String(retryAfter));
  if (status === 405 && !response.headers.has("Allow")) response.headers.set("Allow", "GET, POST");
  if (status === 426) response.headers.set("Sec-WebSocket-Version", "13");
  return response;
}
