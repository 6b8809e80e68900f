import { createRoute, z } from "@hono/zod-openapi";
import type { Handler } from "hono";
import type { BodyReader } from "../http/body_reader.ts";
import { problem } from "../http/problem.ts";
import { PresenceUnavailable } from "../presence/port.ts";
import type { AskedPresence } from "./audience.ts";
import { parseBody, readBody } from "./read_body.ts";
import { BODY_ANSWERS, bodyOf, listOf, Recipient, SECURITY } from "./schemas.ts";

const MAX_BYTES = 2 ** 20;
const ACTION = "look presence up";

const Question = bodyOf({ recipients: listOf(Recipient) })
  .openapi("PresenceQuestion", { example: { recipients: ["user:42", "team:7"] } });

const RecipientPresence = z.object({
  online: z.boolean(),
  sockets: z.int().openapi({ description: "How many connections it has, on all nodes." }),
  since: z.iso.datetime().optional().openapi({
    description: "Since when it has had any; absent where it has none, or that is not known.",
  }),
});

/** `POST /api/presence` */
export const presenceRoute = createRoute({
  method: "post",
  path: "/api/presence",
  summary: "Say which recipients are there",
  description: "Over all nodes. POST, so that names stay out of access logs.",
  security: SECURITY,
  request: { body: { required: true, content: { "application/json": { schema: Question } } } },
  responses: {
    200: {
      description: "Each recipient by its name",
      content: {
        "application/json": {
          schema: z.record(z.string(), RecipientPresence).openapi("Presence", {
            example: {
              "user:42": { online: true, sockets: 2, since: "2025-01-01T12:00:00.000Z" },
              "team:7": { online: false, sockets: 0 },
            },
          }),
        },
      },
    },
    ...BODY_ANSWERS,
  },
});

/** Answers `POST /api/presence`. */
export function lookUpPresence(
  { bodies, presence }: { readonly bodies: BodyReader; readonly presence: AskedPresence },
): Handler {
  return async (c) => {
    const body = await readBody(c.req.raw, {
      bodies,
      maxBytes: MAX_BYTES,
      action: ACTION,
      types: ["application/json"],
      tooLarge: "the body is larger than 1 MiB: ask in parts",
    });
    if ("status" in body) return problem(body);
    const question = parseBody(body.text, { schema: Question, action: ACTION });
    if ("status" in question) return problem(question);
    const { recipients } = question.value;
    try {
      const present = await presence.lookUp([...new Set(recipients)]);
      const answers = recipients.map((recipient) => {
        const found = present.get(recipient);
        if (found === undefined) return [recipient, { online: false, sockets: 0 }] as const;
        const { sockets, since } = found;
        const date = since === undefined ? {} : { since: new Date(since).toISOString() };
        return [recipient, { online: true, sockets, ...date }] as const;
      });
      // Unlike an assignment, it makes a member of any name.
      return c.json(Object.fromEntries(answers), 200, { "Cache-Control": "no-store" });
    } catch (error) {
      if (!(error instanceof PresenceUnavailable)) throw error;
      return problem({
        status: 503,
        detail: "Cannot look presence up as it is not known now: try again in a moment",
        retryAfter: 2,
      });
    }
  };
}
