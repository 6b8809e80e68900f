import { Hono, type MiddlewareHandler } from "hono";
import { getLogger } from "@logtape/logtape";
import type { Bus } from "../bus/port.ts";
import { MALFORMED } from "../core/malformed.ts";
import { readMembers } from "../core/read_members.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { answerInquiry, type Inquiry } from "../gateway/answer_inquiry.ts";
import { problem } from "../http/problem.ts";
import { BodyReader } from "../http/body_reader.ts";
import { REFUSED } from "../http/refusals.ts";
import { nodeIdOf, type NodeRegistry, type NodeReport, type Presence } from "../presence/port.ts";
import type { Health } from "./health.ts";
import { NodeHistory, SERIES } from "./node_history.ts";
import { NodeOverview, type NodeRow } from "./node_overview.ts";

export interface OpsApiOptions {
  /** Admits who brings a token, and none else. */
  readonly guard: MiddlewareHandler;
  readonly bus: Pick<Bus, "inquiries">;
  readonly gateway: Gateway;
  readonly health: Pick<Health, "readiness">;
  readonly presence: Pick<Presence, "lookUp"> & NodeRegistry;
  readonly report: () => NodeReport;
  readonly nodeId: string;
}

/** How long other nodes have to answer, in milliseconds. */
const ANSWER_MS = 1_000;
const MAX_BYTES = 8_192;
/** What is wrong and what to do, by reason: of refused connects, and of dropped envelopes. */
const ADVICE = {
  refused: Object.fromEntries(Object.values(REFUSED).map(({ reason, detail }) => [reason, detail])),
  dropped: MALFORMED,
};

const log = getLogger(["keywire", "ops"]);

/**
 * What the operators' page asks for, under `/api/ops`. It is no part of the API for backends, and
 * changes with the page.
 */
export function createOpsApi(options: OpsApiOptions): Hono {
  const { guard, bus, gateway, health, presence, nodeId } = options;
  const history = new NodeHistory(() => presence.nodes());
  const overview = new NodeOverview({ ...options, registry: presence, history });
  const bodies = new BodyReader();
  bus.inquiries.answerWith((question) => answerInquiry(question, gateway));

  const api = new Hono();
  api.use("/api/ops/*", guard);
  api.get("/api/ops/overview", async (c) => {
    const { status, parts } = health.readiness();
    return c.json(
      {
        now: Date.now(),
        status,
        parts,
        nodes: (await overview.rows()).map((row) => ({ ...row, name: shortName(row) })),
        drops: gateway.router.drops.list,
        excerpts: log.isEnabledFor("debug"),
        advice: ADVICE,
      },
      200,
      NO_STORE,
    );
  });
  api.get("/api/ops/history", (c) => {
    const after = Number(c.req.query("after") ?? 0);
    const nodes = [...history.nodes].map(([id, { node, values }]) => {
      const samples = [...values].filter(([at]) => at > after);
      return {
        id,
        name: shortName(node),
        address: node.address,
        times: samples.map(([at]) => at),
        // JSON has no NaN: what was not told is null.
        values: SERIES.map((_, at) => samples.map(([, sample]) => sample[at])),
      };
    });
    return c.json({ series: SERIES, nodes }, 200, NO_STORE);
  });
  api.post("/api/ops/recipient", async (c) => {
    const body = await read(c.req.raw);
    if (body instanceof Response) return body;
    const { recipient } = body;
    const [answers, present] = await Promise.all([
      askAll({ kind: "recipient", recipient }),
      presence.lookUp([recipient]).then((found) => found.get(recipient) ?? null, () => undefined),
    ]);
    return c.json({ ...answers, presence: present }, 200, NO_STORE);
  });
  api.post("/api/ops/trace", async (c) => {
    const body = await read(c.req.raw);
    if (body instanceof Response) return body;
    return c.json(await askAll({ kind: "trace", ...body }), 200, NO_STORE);
  });
  api.onError((error) => {
    log.error("The operators' page failed: {error}", { error });
    return problem({ status: 500, detail: "Cannot answer as this node failed: look into its log" });
  });
  return api;

  async function askAll(question: Inquiry) {
    const leases = await presence.nodes().catch(() => []);
    const expected = new Map(leases.map((lease) => [nodeIdOf(lease.id), lease]));
    const answers = await bus.inquiries.ask(question, {
      waitMs: ANSWER_MS,
      enough: (given) => expected.size > 0 && expected.keys().every((id) => given.has(id)),
    });
    return {
      nodes: [...answers].map(([id, answer]) => ({
        id,
        name: shortName({ id }),
        address: expected.get(id)?.address ?? null,
        isThis: id === nodeId,
        ...answer as object,
      })),
      silent: [...expected].filter(([id]) => !answers.has(id))
        .map(([id, { address }]) => ({ name: shortName({ id }), address })),
    };
  }

  async function read(
    request: Request,
  ): Promise<{ readonly recipient: string; readonly cursor: string } | Response> {
    // A page of another site can send a form, but not this type without being asked first.
    const isJson = /^application\/json\s*(;|$)/i.test(request.headers.get("Content-Type") ?? "");
    const body = isJson ? await bodies.read(request, MAX_BYTES) : undefined;
    const { recipient, cursor = "" } = readMembers(
      body !== undefined && "text" in body ? body.text : "",
    );
    if (typeof recipient === "string" && recipient !== "" && typeof cursor === "string") {
      return { recipient, cursor };
    }
    return problem({
      status: 400,
      detail: "Cannot look anything up: the body must be JSON with a recipient, at most 8 KiB",
    });
  }
}

const NO_STORE = { "Cache-Control": "no-store" };

/** As it stands in the log. */
function shortName({ id }: Pick<NodeRow, "id">): string {
  return id.slice(0, 8);
}
