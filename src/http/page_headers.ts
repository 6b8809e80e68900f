import type { MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";

/**
 * The security headers of a page that takes all it needs from its own origin.
 *
 * @param connectTo where its scripts may connect to, as sources of a Content-Security-Policy
 */
export function pageHeaders(connectTo: readonly string[]): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      connectSrc: [...connectTo],
      imgSrc: ["'self'", "data:"],
      baseUri: ["'none'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
    },
    strictTransportSecurity: false, // the front proxy sets it
    referrerPolicy: "no-referrer",
  });
}
