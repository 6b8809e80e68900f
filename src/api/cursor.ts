import { createRoute, z } from "@hono/zod-openapi";
import type { Handler } from "hono";
import type { Bus } from "../bus/port.ts";
import { formatCursor } from "../core/position.ts";
import { problem } from "../http/problem.ts";
import { busProblem } from "./bus_problem.ts";
import { COMMON_ANSWERS, Cursor, problemAnswer, SECURITY } from "./schemas.ts";

/** `GET /api/cursor` */
export const cursorRoute = createRoute({
  method: "get",
  path: "/api/cursor",
  summary: "Say where the sources are by now",
  description:
    "A position at least as new as everything that Redis had acknowledged before the question. " +
    "Ask for it before the state of a page is read from the database, and print it into the page: " +
    "a client that begins there misses nothing in between.",
  security: SECURITY,
  responses: {
    200: {
      description: "The position",
      content: { "application/json": { schema: z.object({ cursor: Cursor }).openapi("Position") } },
    },
    ...COMMON_ANSWERS,
    503: problemAnswer("The position is not known within 2 seconds"),
  },
});

/** Answers `GET /api/cursor`. */
export function cursor({ bus }: { readonly bus: Pick<Bus, "cursor"> }): Handler {
  return async (c) => {
    try {
      const { stream, marker, since } = await bus.cursor();
      // The id of an entry alone is a cursor without a part of the channel, which is not lost then.
      const text = marker === undefined ? stream : formatCursor({ stream, marker, since });
      return c.json({ cursor: text }, 200, { "Cache-Control": "no-store" });
    } catch (error) {
      return problem(busProblem(error, { action: "tell the position", repeat: "ask again" }));
    }
  };
}
