import type { Handler } from "hono";
import { problem } from "../http/problem.ts";

/**
 * `POST /api/demo/restart`: simulates a restart of the gateway, so that its page can show what comes
 * after one. It exists only where the API is open, and is no part of the API that backends use.
 */
export function demoRestart(restart: () => void): Handler {
  return (c) => {
    // A page of another site can send a form, but not this type without being asked first.
    if (!/^application\/json\s*(;|$)/i.test(c.req.header("Content-Type") ?? "")) {
      return problem({
        status: 415,
        detail: "Cannot restart as the body must be application/json: set Content-Type",
      });
    }
    restart();
    return c.json({}, 202);
  };
}
