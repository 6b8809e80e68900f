import { createRoute, z } from "@hono/zod-openapi";
import type { Handler } from "hono";
import type { Bus } from "../bus/port.ts";
import type { BodyReader } from "../http/body_reader.ts";
import { isKey, sha256 } from "../http/credentials.ts";
import { problem } from "../http/problem.ts";
import { busProblem } from "./bus_problem.ts";
import { parseBody, readBody } from "./read_body.ts";
import { BODY_ANSWERS, bodyOf, listOf, Recipient, SECURITY } from "./schemas.ts";

const MAX_BYTES = 2 ** 20;
const ACTION = "disconnect";

const KEY_RULE = { error: "it must be 1 to 256 bytes of UTF-8 without control characters" };
const Key = z.string(KEY_RULE).min(1, KEY_RULE).max(256, KEY_RULE).refine(isKey, KEY_RULE);
const ByRecipients = bodyOf({ recipients: listOf(Recipient) });
const ByKeys = bodyOf({ keys: listOf(Key) });
const Order = z.union([ByRecipients, ByKeys]).openapi("Disconnect", {
  example: { recipients: ["user:42"] },
});

/** `POST /api/disconnect` */
export const disconnectRoute = createRoute({
  method: "post",
  path: "/api/disconnect",
  summary: "Close the connections of recipients or keys",
  description:
    "Closes their connections on every node at once, with 4403, and refuses those whose look-up " +
    "is under way; a node that is cut off follows for 60 s. It is a kick, not a ban: remove the " +
    "key's document first. The answer does not say whether anything was closed.",
  security: SECURITY,
  request: { body: { required: true, content: { "application/json": { schema: Order } } } },
  responses: {
    202: {
      description: "The order was given to every node",
      content: { "application/json": { schema: z.strictObject({}) } },
    },
    ...BODY_ANSWERS,
  },
});

/** Answers `POST /api/disconnect`. A key goes no further than this node: the others get its hash. */
export function disconnect(
  { bodies, bus }: { readonly bodies: BodyReader; readonly bus: Pick<Bus, "disconnect"> },
): Handler {
  return async (c) => {
    const body = await readBody(c.req.raw, {
      bodies,
      maxBytes: MAX_BYTES,
      action: ACTION,
      types: ["application/json"],
      tooLarge: "the body is larger than 1 MiB: send it in parts",
    });
    if ("status" in body) return problem(body);
    const byKeys = parseBody(body.text, {
      schema: z.looseObject({ keys: z.unknown() }),
      action: "",
    });
    const hasKeys = "value" in byKeys && byKeys.value.keys !== undefined;
    const schema: z.ZodType<z.infer<typeof Order>> = hasKeys ? ByKeys : ByRecipients;
    const order = parseBody(body.text, { schema, action: ACTION });
    if ("status" in order) return problem(order);
    const { value } = order;
    const [recipients, keys] = "keys" in value ? [[], value.keys] : [value.recipients, []];
    try {
      await bus.disconnect({ recipients, keyHashes: keys.map(sha256) });
      return c.json({}, 202);
    } catch (error) {
      return problem(busProblem(error, { action: ACTION, repeat: "a repeat does no harm" }));
    }
  };
}
