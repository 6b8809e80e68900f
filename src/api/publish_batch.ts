import { createRoute, z } from "@hono/zod-openapi";
import type { Handler } from "hono";
import { cutElements } from "../core/cut_elements.ts";
import { isSpace, skipSpace } from "../core/json_scan.ts";
import { problem } from "../http/problem.ts";
import type { Refusal } from "../http/refusals.ts";
import {
  checkEnvelope,
  type Envelope as CheckedEnvelope,
  malformedProblem,
  type Published,
  readIdempotencyKey,
  readTraceparent,
} from "./publisher.ts";
import type { PublishOptions } from "./publish.ts";
import { readBody, type TextBody } from "./read_body.ts";
import { Accepted, BODY_ANSWERS, Envelope, Problem, PublishHeaders, SECURITY } from "./schemas.ts";
import { WorkSlices } from "./work_slices.ts";

const MAX_ENVELOPES = 1_000;
const MAX_BYTES = 4 * 2 ** 20;
const JSON_TYPE = "application/json";
const NDJSON_TYPE = "application/x-ndjson";

const Results = z.object({
  results: z.array(z.union([Accepted, Problem])).openapi({
    description: "One for each envelope, in the same order.",
  }),
}).openapi("Results");

/** `POST /api/publish/batch` */
export const publishBatchRoute = createRoute({
  method: "post",
  path: "/api/publish/batch",
  summary: "Publish messages",
  description: "Publishes up to 1,000 envelopes of 4 MiB together, in their order. Each has its " +
    "own result: the others go out though one is malformed. The Idempotency-Key of the item `i`, " +
    "counted from 0, is that of the batch with `:i`. Empty lines of NDJSON do not count.",
  security: SECURITY,
  request: {
    headers: PublishHeaders,
    body: {
      required: true,
      content: {
        [JSON_TYPE]: { schema: z.array(Envelope).max(MAX_ENVELOPES) },
        [NDJSON_TYPE]: {
          schema: z.string().openapi({ description: "An envelope a line." }),
          example: '{"recipients":["a"],"n":1}\n{"recipients":["b"],"n":2}\n',
        },
      },
    },
  },
  responses: {
    202: {
      description: "Each envelope was tried",
      content: { [JSON_TYPE]: { schema: Results } },
    },
    ...BODY_ANSWERS,
  },
});

/** Answers `POST /api/publish/batch`. */
export function publishBatch({ bodies, publisher, maxMessageBytes }: PublishOptions): Handler {
  return async (c) => {
    const idempotencyKey = readIdempotencyKey(c.req.raw);
    if (typeof idempotencyKey === "object") return problem(idempotencyKey);
    const body = await readBody(c.req.raw, {
      bodies,
      maxBytes: MAX_BYTES,
      action: "publish the batch",
      types: [JSON_TYPE, NDJSON_TYPE],
      tooLarge: "it is larger than 4 MiB: send it in parts",
    });
    if ("status" in body) return problem(body);
    const items = await check(body, {
      idempotencyKey,
      traceparent: readTraceparent(c.req.raw),
      maxMessageBytes,
    });
    if ("status" in items) return problem(items);
    const good = items.filter((item) => !("status" in item)) as CheckedEnvelope[];
    const published = (await publisher.publish(good)).values();
    const results = items.map((item): Published | Refusal =>
      "status" in item ? item : published.next().value!
    );
    return c.json({ results: results.map(readable) }, 202);
  };
}

/** Cuts the body into envelopes and checks each of them, in slices, so that nothing else waits long. */
async function check(
  body: TextBody,
  { idempotencyKey, traceparent, maxMessageBytes }: {
    readonly idempotencyKey: string | undefined;
    readonly traceparent: string | undefined;
    readonly maxMessageBytes: number;
  },
): Promise<(CheckedEnvelope | Refusal)[] | Refusal> {
  const items: (CheckedEnvelope | Refusal)[] = [];
  const isJson = body.type === JSON_TYPE;
  const refuse = (reason: string): Refusal => ({
    status: 400,
    detail: `Cannot publish the batch as ${reason}`,
  });
  const slices = new WorkSlices();
  try {
    for (const text of isJson ? cutElements(body.text) : lines(body.text)) {
      const at = items.length;
      if (at === MAX_ENVELOPES) {
        const detail = `Cannot publish the batch as it holds more than ${MAX_ENVELOPES} ` +
          "envelopes: send it in parts";
        return { status: 413, detail };
      }
      const checked = checkEnvelope(text, maxMessageBytes);
      if (isJson && checked === "not_json") return refuse(`the element ${at} is not JSON`);
      const key = idempotencyKey === undefined ? undefined : `${idempotencyKey}:${at}`;
      items.push(
        typeof checked === "string"
          ? malformedProblem(checked)
          : { text, idempotencyKey: key, traceparent, ...checked },
      );
      if (slices.isOver) await slices.turn();
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return refuse(`it is no JSON array: ${error.message}`);
  }
  return items;
}

/**
 * The lines that hold anything, without the blanks around them: blank as JSON has it, as an envelope
 * behind any other space is malformed on the other ways in, too.
 */
function* lines(text: string): Generator<string, void> {
  for (let start = skipSpace(text, 0); start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline;
    // Not by an expression: it would begin anew at each blank of a run that ends elsewhere.
    let last = end;
    while (isSpace(text.charCodeAt(last - 1))) last--;
    yield text.slice(start, last);
    start = skipSpace(text, end);
  }
}

/** A result as it is answered: `Retry-After` is a header, where there is one answer. */
function readable(result: Published | Refusal): unknown {
  if (!("status" in result)) return result;
  const { status, detail, outcome } = result;
  return { status, detail, outcome };
}
