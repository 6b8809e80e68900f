import type { z } from "@hono/zod-openapi";
import type { BodyReader } from "../http/body_reader.ts";
import type { Refusal } from "../http/refusals.ts";
import { MALFORMED } from "../core/malformed.ts";

/** How a body of the API is read. */
export interface ReadBodyOptions {
  readonly bodies: BodyReader;
  readonly maxBytes: number;
  /** What the caller wants, as errors begin: "publish". */
  readonly action: string;
  /** The media types that are taken. */
  readonly types: readonly string[];
  /** What is wrong with a larger body, and what to do. */
  readonly tooLarge: string;
}

/** A body as text, and its media type. */
export interface TextBody {
  readonly text: string;
  readonly type: string;
}

/** Reads the body of a request to the API, or says what is wrong with it. */
export async function readBody(
  request: Request,
  { bodies, maxBytes, action, types, tooLarge }: ReadBodyOptions,
): Promise<TextBody | Refusal> {
  const refuse = (status: number, reason: string, retryAfter?: number): Refusal => ({
    status,
    detail: `Cannot ${action} as ${reason}`,
    ...retryAfter === undefined ? {} : { retryAfter },
  });
  const type = (request.headers.get("Content-Type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (!types.includes(type)) {
    return refuse(415, `the body must be ${types.join(" or ")}: set Content-Type`);
  }
  // What is compressed would seem to be no UTF-8.
  const encoding = request.headers.get("Content-Encoding")?.trim().toLowerCase() || "identity";
  if (encoding !== "identity") {
    return refuse(415, "the body must not be compressed: send it without Content-Encoding");
  }
  const body = await bodies.read(request, maxBytes);
  if ("text" in body) return { text: body.text, type };
  switch (body.fault) {
    case "too_large":
      return refuse(413, tooLarge);
    case "too_slow":
      return refuse(408, "the body did not arrive within 5 seconds: send it at once");
    case "not_utf8":
      return refuse(400, MALFORMED.not_utf8);
    case "busy":
      return refuse(503, "too many bodies are on their way to this node: try again in a moment", 1);
    case "cut":
      return refuse(400, "the body ended before its end: send it whole");
  }
}

/** Reads a JSON text by its schema, or says which member is wrong. What it holds is never shown. */
export function parseBody<T>(
  text: string,
  { schema, action }: { readonly schema: z.ZodType<T>; readonly action: string },
): { readonly value: T } | Refusal {
  const refuse = (reason: string) => ({ status: 400, detail: `Cannot ${action} as ${reason}` });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refuse("the body is not JSON: mind typographic quotes and trailing commas");
  }
  const result = schema.safeParse(json);
  if (result.success) return { value: result.data };
  const [issue] = result.error.issues;
  const path = issue?.path.map((part) =>
    typeof part === "number" ? `[${part}]` : `.${String(part)}`
  )
    .join("").slice(1);
  return refuse(`${path || "the body"} is wrong: ${issue?.message}`);
}
