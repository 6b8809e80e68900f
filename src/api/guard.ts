import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { isLoopbackHost } from "../http/loopback_host.ts";
import { problem } from "../http/problem.ts";

export interface GuardOptions {
  /** The tokens that open the API. */
  readonly tokens: readonly string[];
  /** Whether it is open without one: on loopback, while everything is embedded. */
  readonly open: boolean;
}

/**
 * Admits requests that bring one of the tokens as `Authorization: Bearer`. Tokens are compared by their
 * hashes in constant time. Where it is open, the Host must be loopback, so that no page can reach it
 * through a name of its own that points here.
 */
export function guard({ tokens, open }: GuardOptions): MiddlewareHandler {
  const hashes = tokens.map(hash);
  return async (c, next) => {
    const token = /^Bearer +(\S+)$/i.exec(c.req.header("Authorization") ?? "")?.[1];
    const given = token === undefined ? undefined : hash(token);
    const known = given !== undefined && hashes.some((one) => timingSafeEqual(one, given));
    if (known || (open && isLoopbackHost(c.req.header("Host")))) return await next();
    if (hashes.length === 0) {
      return problem({
        status: 403,
        detail: "Cannot use the API as it is closed: set API_TOKEN to open it",
      });
    }
    return problem({
      status: 401,
      detail: "Cannot use the API as it needs Authorization: Bearer with one of API_TOKEN",
    }, { "WWW-Authenticate": "Bearer" });
  };
}

function hash(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
