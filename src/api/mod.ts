/** The HTTP API for backends: `/api`, and its description at `/openapi.json`. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { getLogger } from "@logtape/logtape";
import type { MiddlewareHandler } from "hono";
import type { Bus } from "../bus/port.ts";
import { BodyReader } from "../http/body_reader.ts";
import { problem } from "../http/problem.ts";
import type { NodeRegistry, Presence } from "../presence/port.ts";
import type { Settings } from "../settings/settings.ts";
import { cursor, cursorRoute } from "./cursor.ts";
import { demoRestart } from "./demo_restart.ts";
import { disconnect, disconnectRoute } from "./disconnect.ts";
import { listNodes, nodesRoute } from "./nodes.ts";
import { lookUpPresence, presenceRoute } from "./presence.ts";
import { publish, publishRoute } from "./publish.ts";
import { publishBatch, publishBatchRoute } from "./publish_batch.ts";
import { Publisher } from "./publisher.ts";

const log = getLogger(["keywire", "api"]);

export { guard } from "./guard.ts";

export interface ApiOptions {
  /** Admits who may use the API. */
  readonly guard: MiddlewareHandler;
  readonly bus: Pick<Bus, "publish" | "disconnect" | "cursor">;
  readonly settings: Pick<Settings, "maxMessageBytes">;
  /** Which recipients are there, on any node, and which nodes there are. */
  readonly presence: Pick<Presence & NodeRegistry, "lookUp" | "size" | "nodes">;
  readonly version: string;
  /** Simulates a restart of the gateway, for its page; undefined where that is not offered. */
  readonly restart: (() => void) | undefined;
}

/** The routes of the API. Not `api.openapi`: it would parse bodies, whose bytes must stay as they are. */
export function createApi(options: ApiOptions): OpenAPIHono {
  const { bus, guard, presence, settings: { maxMessageBytes }, version } = options;
  const api = new OpenAPIHono();
  api.use("/api/*", guard);
  const bodies = new BodyReader();
  const publishing = { bodies, publisher: new Publisher({ bus, presence }), maxMessageBytes };
  const routes = [
    { route: publishRoute, handler: publish(publishing) },
    { route: publishBatchRoute, handler: publishBatch(publishing) },
    { route: disconnectRoute, handler: disconnect({ bodies, bus }) },
    { route: presenceRoute, handler: lookUpPresence({ bodies, presence }) },
    { route: cursorRoute, handler: cursor({ bus }) },
    { route: nodesRoute, handler: listNodes({ registry: presence }) },
  ];
  for (const { route: { method, path }, handler } of routes) {
    api.on(method.toUpperCase(), path, handler);
    const allow = method.toUpperCase();
    const detail = `Cannot answer this method here: use ${allow}`;
    api.all(path, () => problem({ status: 405, detail }, { Allow: allow }));
  }
  if (options.restart !== undefined) api.post("/api/demo/restart", demoRestart(options.restart));
  api.onError((error) => {
    log.error("The API failed: {error}", { error });
    return problem({ status: 500, detail: "Cannot answer as this node failed: look into its log" });
  });

  for (const { route } of routes) api.openAPIRegistry.registerPath(route);
  api.openAPIRegistry.registerComponent("securitySchemes", "token", {
    type: "http",
    scheme: "bearer",
    description: "One of API_TOKEN.",
  });
  api.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "Keywire",
      version,
      description:
        "A push gateway: Redis in, browsers out, MongoDB says who. What the operators' " +
        "page at /ops asks for, under /api/ops, is no part of this API and changes with the page.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
    },
  });
  return api;
}
