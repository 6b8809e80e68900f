import { createRoute } from "@hono/zod-openapi";
import type { Handler } from "hono";
import { MALFORMED } from "../core/malformed.ts";
import type { BodyReader } from "../http/body_reader.ts";
import { problem } from "../http/problem.ts";
import {
  checkEnvelope,
  malformedProblem,
  type Publisher,
  readIdempotencyKey,
  readTraceparent,
} from "./publisher.ts";
import { readBody } from "./read_body.ts";
import {
  Accepted,
  BODY_ANSWERS,
  Envelope,
  problemAnswer,
  PublishHeaders,
  SECURITY,
} from "./schemas.ts";

/** `POST /api/publish` */
export const publishRoute = createRoute({
  method: "post",
  path: "/api/publish",
  summary: "Publish a message",
  description:
    "Appends the envelope to the stream, or publishes it where the stream is off. Without an " +
    "Idempotency-Key a repeated POST can deliver twice.",
  security: SECURITY,
  request: {
    headers: PublishHeaders,
    body: { required: true, content: { "application/json": { schema: Envelope } } },
  },
  responses: {
    202: { description: "Accepted", content: { "application/json": { schema: Accepted } } },
    ...BODY_ANSWERS,
    422: problemAnswer("Another body came under the same Idempotency-Key within 5 minutes"),
  },
});

/** What the routes that publish need. */
export interface PublishOptions {
  readonly bodies: BodyReader;
  readonly publisher: Publisher;
  readonly maxMessageBytes: number;
}

/** Answers `POST /api/publish`. The body goes out as it came, so it is never parsed and printed. */
export function publish({ bodies, publisher, maxMessageBytes }: PublishOptions): Handler {
  return async (c) => {
    const idempotencyKey = readIdempotencyKey(c.req.raw);
    if (typeof idempotencyKey === "object") return problem(idempotencyKey);
    const body = await readBody(c.req.raw, {
      bodies,
      maxBytes: maxMessageBytes,
      action: "publish the envelope",
      types: ["application/json"],
      tooLarge: MALFORMED.too_large,
    });
    if ("status" in body) return problem(body);
    const { text } = body;
    const checked = checkEnvelope(text, maxMessageBytes);
    if (typeof checked === "string") return problem(malformedProblem(checked));
    const traceparent = readTraceparent(c.req.raw);
    const [result] = await publisher.publish([{ text, idempotencyKey, traceparent, ...checked }]);
    return "status" in result! ? problem(result) : c.json(result, 202);
  };
}
