/** What the routes of the API share in their description. */
import { z } from "@hono/zod-openapi";

const MAX_NAMES = 10_000;
const UUID = "00721b2a-046c-4ecc-a5df-5f808cc6c58f";

/** A name that messages are addressed to. */
export const Recipient = z.string({ error: "it must be a string" })
  .min(1, { error: "it must not be empty" })
  .refine((text) => text.isWellFormed(), { error: "it must be well-formed Unicode" });

/** Several names, or keys, at once. */
export function listOf(item: z.ZodType<string>) {
  return z.array(item, { error: "it must be an array of strings" })
    .max(MAX_NAMES, { error: `it must hold at most ${MAX_NAMES} strings: send them in parts` });
}

/** A body with these members and no others. */
export function bodyOf<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: ({ code, keys }) =>
      code === "unrecognized_keys"
        ? `it has a member that is not known, ${JSON.stringify(keys[0]).slice(0, 40)}`
        : "it must be a JSON object",
  });
}

/** An envelope, for the description: what counts is its text, which is delivered byte for byte. */
export const Envelope = z.object({
  recipients: z.union([z.array(Recipient), z.literal("*")]).openapi({
    description: "Who should hear it: names, or `*` for everyone connected.",
    example: [UUID],
  }),
}).catchall(z.unknown()).openapi("Envelope", {
  example: { recipients: [UUID], data: { entry: { id: "123" } } },
});

/** An error, as RFC 9457 has it. */
export const Problem = z.object({
  status: z.int(),
  detail: z.string().openapi({ description: "What was wrong, what was expected, what to do." }),
  outcome: z.enum(["refused", "unknown"]).optional().openapi({
    description: "Where Redis is at fault: `refused`, it was certainly not done; `unknown`, it " +
      "may have been.",
  }),
}).openapi("Problem");

/** A position in what is published. */
export const Cursor = z.string().openapi({
  description: "A position from which clients can go on, opaque.",
  example: "1764043200000-0",
});

/** What is known when an envelope was accepted. */
export const Accepted = z.object({
  cursor: Cursor.optional().openapi({
    description: "The position of the message; absent where the stream is off.",
  }),
  online: z.int().optional().openapi({
    description: "How many of the recipients were there, for `*` how many connections; absent " +
      "where presence is not known.",
  }),
  offline: z.array(z.string()).optional().openapi({
    description: "Who was not there just before; absent for `*`, and where presence is not known.",
  }),
}).openapi("Accepted");

/** The headers of a publish: one makes a repeat harmless, one names the trace that it belongs to. */
export const PublishHeaders = z.object({
  "idempotency-key": z.string().regex(/^[\x21-\x7e]{1,128}$/).optional().openapi({
    description: "A repeat with the same key within 5 minutes appends nothing and gets the first " +
      "cursor; another body under it is answered with 422. 1 to 128 visible characters of ASCII.",
  }),
  traceparent: z.string().optional().openapi({
    description: "The trace that the delivery belongs to, by W3C Trace Context. Where nodes send " +
      "spans, a sampled one gets a span of the delivery. A malformed one is ignored.",
    example: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  }),
});

/** The API wants a token, where one is set. */
export const SECURITY = [{ token: [] }];

/** An answer that is an error. */
export function problemAnswer(description: string) {
  return { description, content: { "application/problem+json": { schema: Problem } } };
}

/** The errors that every route may answer with. */
export const COMMON_ANSWERS = {
  401: problemAnswer("The token is missing or wrong"),
  403: problemAnswer("The API is closed: API_TOKEN is not set, or Host is not loopback"),
};

/** The errors that every route with a body may answer with, besides. */
export const BODY_ANSWERS = {
  ...COMMON_ANSWERS,
  400: problemAnswer("The body, or the Idempotency-Key, is malformed; says what is wrong"),
  408: problemAnswer("The body did not arrive within 5 seconds"),
  413: problemAnswer("The body is too large"),
  415: problemAnswer("The body is not of the type that is wanted, or is compressed"),
  503: problemAnswer("Redis refused or did not confirm within 2 seconds, or the node is busy"),
};
