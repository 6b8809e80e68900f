import { createRoute, z } from "@hono/zod-openapi";
import { MALFORMED } from "../core/malformed.ts";
import { parseMessage } from "../core/message.ts";

/** An envelope, for the description: what counts is its text, which is delivered byte for byte. */
export const Envelope = z.object({
  recipients: z.union([z.array(z.string()), z.literal("*")]).openapi({
    description: "Who should hear it: names, or `*` for everyone connected.",
    example: ["00721b2a-046c-4ecc-a5df-5f808cc6c58f"],
  }),
}).catchall(z.unknown()).openapi("Envelope", {
  example: { recipients: ["00721b2a-046c-4ecc-a5df-5f808cc6c58f"], data: { entry: { id: "123" } } },
});

/** An error, as RFC 9457 has it. */
export const Problem = z.object({
  status: z.int(),
  detail: z.string().openapi({ description: "What was wrong, what was expected, what to do." }),
}).openapi("Problem");

/** What is known when an envelope was accepted. */
export const Accepted = z.object({
  cursor: z.string().optional().openapi({
    description: "The id of the stream's entry; absent where the stream is off.",
  }),
  online: z.int().optional().openapi({
    description: "How many of the recipients were there; absent where this node cannot know.",
  }),
  offline: z.array(z.string()).optional().openapi({
    description: "Who was not there just before; absent for `*`.",
  }),
}).openapi("Accepted");

const problem = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: Problem } },
});

/** `POST /api/publish` */
export const publishRoute = createRoute({
  method: "post",
  path: "/api/publish",
  summary: "Publish a message",
  description:
    "Appends the envelope to the stream, or publishes it where the stream is off. A retried POST " +
    "can deliver twice: put an id of your own in the message.",
  security: [{ token: [] }],
  request: {
    body: { required: true, content: { "application/json": { schema: Envelope } } },
  },
  responses: {
    202: { description: "Accepted", content: { "application/json": { schema: Accepted } } },
    400: problem("The body is no envelope"),
    401: problem("The token is missing or wrong"),
    413: problem("The envelope is larger than MAX_MESSAGE_BYTES"),
    415: problem("The body is not application/json"),
    503: problem("Redis did not confirm within 2 seconds; it may have been appended"),
  },
});

/** Checks an envelope before it goes out. Returns its distinct recipients, or what is wrong. */
export function checkEnvelope(
  text: string,
  maxBytes: number,
): { recipients: readonly string[] | "*" } | { status: 400 | 413; detail: string } {
  const message = parseMessage(text, maxBytes);
  if (typeof message !== "string") {
    const { recipients } = message;
    return { recipients: recipients === "*" ? recipients : [...new Set(recipients)] };
  }
  return {
    status: message === "too_large" ? 413 : 400,
    detail: `Cannot publish the envelope as ${MALFORMED[message]}`,
  };
}
