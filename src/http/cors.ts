/**
 * Cross-origin access to the transports (the Fetch standard's CORS protocol). Keys are no ambient
 * credentials, so `*` is safe, and cookies are never asked for.
 */
const ALLOWED = {
  "Access-Control-Allow-Methods": "GET, POST",
  // `*` does not cover Authorization, which must be named beside it.
  "Access-Control-Allow-Headers": "*, Authorization, Last-Event-ID, X-Socket-Transport",
  "Access-Control-Max-Age": "86400",
};

/** Answers a preflight from an allowed origin; from any other without leave. */
export function preflight(request: Request, allowedOrigins: "*" | readonly string[]): Response {
  const headers = allowHeaders(request, allowedOrigins);
  return new Response(null, {
    status: 204,
    headers: headers === undefined ? {} : { ...headers, ...ALLOWED },
  });
}

/** Lets the page that asked read `response`. An upgrade passes as it is: it has no readable answer. */
export function allow(
  response: Response,
  request: Request,
  allowedOrigins: "*" | readonly string[],
): Response {
  const headers = response.status === 101 ? undefined : allowHeaders(request, allowedOrigins);
  for (const [name, value] of Object.entries(headers ?? {})) response.headers.append(name, value);
  if (headers !== undefined) response.headers.set("Access-Control-Expose-Headers", "Retry-After");
  return response;
}

function allowHeaders(
  request: Request,
  allowedOrigins: "*" | readonly string[],
): Record<string, string> | undefined {
  const origin = request.headers.get("Origin");
  if (origin === null) return undefined;
  if (allowedOrigins === "*") return { "Access-Control-Allow-Origin": "*" };
  return allowedOrigins.includes(origin)
    ? { "Access-Control-Allow-Origin": origin, "Vary": "Origin" }
    : undefined;
}
