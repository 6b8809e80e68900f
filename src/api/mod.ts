import { OpenAPIHono } from "@hono/zod-openapi";
import { getLogger } from "@logtape/logtape";
import { type Bus, BusUnavailable } from "../bus/port.ts";
import type { Presence } from "../presence/port.ts";
import { problem } from "../http/problem.ts";
import { readBodyText } from "../http/read_text.ts";
import { demoRestart } from "./demo_restart.ts";
import { guard, type GuardOptions } from "./guard.ts";
import { checkEnvelope, publishRoute } from "./publish.ts";

const log = getLogger(["keywire", "api"]);

export interface ApiOptions extends GuardOptions {
  readonly bus: Pick<Bus, "publish">;
  readonly maxMessageBytes: number;
  /** Which recipients are there, on any node; undefined where this node cannot know. */
  readonly presence: Pick<Presence, "lookUp" | "size"> | undefined;
  readonly version: string;
  /** Simulates a restart of the gateway, for its page; undefined where that is not offered. */
  readonly restart: (() => void) | undefined;
}

/** The HTTP API: `/api` and its description at `/openapi.json`. */
export function createApi(options: ApiOptions): OpenAPIHono {
  const { bus, maxMessageBytes, presence, version } = options;
  const api = new OpenAPIHono();
  api.use("/api/*", guard(options));

  api.openAPIRegistry.registerPath(publishRoute);
  api.openAPIRegistry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "One of API_TOKEN.",
  });
  // Not `api.openapi`: a parsed and printed body would not be the bytes that the backend wrote.
  api.post(publishRoute.path, async (c) => {
    if (!/^application\/json\s*(;|$)/i.test(c.req.header("Content-Type") ?? "")) {
      return problem({
        status: 415,
        detail: "Cannot publish as the body must be application/json: set Content-Type",
      });
    }
    const text = await readBodyText(c.req.raw, maxMessageBytes);
    if (text === undefined) {
      return problem({
        status: 413,
        detail: "Cannot publish the envelope as it is larger than MAX_MESSAGE_BYTES: send less",
      });
    }
    const envelope = checkEnvelope(text, maxMessageBytes);
    if ("status" in envelope) return problem(envelope);
    const { recipients } = envelope;
    const present = recipients === "*" ? undefined : await presence?.lookUp(recipients);
    const offline = recipients === "*" || present === undefined
      ? undefined
      : recipients.filter((recipient) => !present.has(recipient));
    const online = recipients === "*" ? await presence?.size() : present?.size;
    try {
      const cursor = await bus.publish(text);
      return c.json({ cursor, online, offline }, 202);
    } catch (error) {
      if (!(error instanceof BusUnavailable)) log.error("A publish failed: {error}", { error });
      return problem({
        status: 503,
        detail: "Cannot confirm the publish as Redis does not answer: it may have been appended; " +
          "with an id of your own in the message a repeat does no harm",
        retryAfter: 2,
      });
    }
  });

  if (options.restart !== undefined) api.post("/api/demo/restart", demoRestart(options.restart));

  api.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "Keywire",
      version,
      description: "A push gateway: Redis in, browsers out, MongoDB says who.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
  });
  return api;
}
