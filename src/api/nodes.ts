import { createRoute, z } from "@hono/zod-openapi";
import type { Handler } from "hono";
import { problem } from "../http/problem.ts";
import { type NodeRegistry, PresenceUnavailable } from "../presence/port.ts";
import { COMMON_ANSWERS, problemAnswer, SECURITY } from "./schemas.ts";

const Node = z.object({
  id: z.string(),
  isThis: z.boolean().openapi({ description: "Whether it is the node that answers." }),
  address: z.string().openapi({ example: "10.0.0.7:8088" }),
  version: z.string(),
  since: z.iso.datetime().openapi({ description: "Since when it has run." }),
  connections: z.int(),
  readySeconds: z.int().optional().openapi({
    description: "For how long it has been ready for clients; absent while it is not.",
  }),
  messagesPerSecond: z.number().optional(),
  deliveriesPerSecond: z.number().optional(),
  lagMs: z.number().optional().openapi({
    description: "How far it trails the stream; absent where that is not known.",
  }),
  trouble: z.string().optional().openapi({ description: "What is wrong with it." }),
  isDraining: z.boolean().optional().openapi({ description: "Whether it goes away." }),
}).openapi("Node");

/** `GET /api/nodes` */
export const nodesRoute = createRoute({
  method: "get",
  path: "/api/nodes",
  summary: "Say which nodes live",
  description: "As of the last few seconds, the node that answers among them.",
  security: SECURITY,
  responses: {
    200: {
      description: "The nodes",
      content: { "application/json": { schema: z.object({ nodes: z.array(Node) }) } },
    },
    ...COMMON_ANSWERS,
    503: problemAnswer("The nodes are not known now"),
  },
});

/** Answers `GET /api/nodes`. */
export function listNodes(
  { registry }: { readonly registry: Pick<NodeRegistry, "nodes"> },
): Handler {
  return async (c) => {
    try {
      const list = (await registry.nodes()).map((node) => ({
        id: node.id,
        isThis: node.isThis,
        address: node.address,
        version: node.version,
        since: new Date(node.since).toISOString(),
        connections: node.connections,
        readySeconds: node.readySeconds,
        messagesPerSecond: node.messagesPerSecond,
        deliveriesPerSecond: node.deliveriesPerSecond,
        lagMs: node.lagMs,
        trouble: node.trouble,
        isDraining: node.isDraining,
      }));
      return c.json({ nodes: list }, 200, { "Cache-Control": "no-store" });
    } catch (error) {
      if (!(error instanceof PresenceUnavailable)) throw error;
      return problem({
        status: 503,
        detail: "Cannot list the nodes as they are not known now: try again in a moment",
        retryAfter: 2,
      });
    }
  };
}
