import type { Gateway } from "./gateway.ts";
import { type DeliveryTrace, traceDelivery } from "./delivery_trace.ts";

/** What operators ask every node. */
export type Inquiry =
  | { readonly kind: "recipient"; readonly recipient: string }
  | { readonly kind: "trace"; readonly recipient: string; readonly cursor: string };

/** One connection of a recipient. */
export interface ConnectionStatus {
  readonly transport: string;
  /** In milliseconds since 1970; absent where it was opened before the record begins. */
  readonly since?: number;
  /** What waits for it, in about bytes. */
  readonly backlogBytes: number;
  /** Whether it hears what comes, or is still being read what it missed. */
  readonly attached: boolean;
}

/** The connections of a recipient on one node. */
export interface RecipientStatus {
  readonly count: number;
  /** The first of them. */
  readonly connections: readonly ConnectionStatus[];
}

const MAX_CONNECTIONS = 50;
const LONGEST_NAME = 1_000;

/**
 * Answers what a node asks: ids, times and outcomes, never keys or messages. Undefined for a question
 * of a version that this one does not know.
 */
export function answerInquiry(
  question: unknown,
  gateway: Pick<Gateway, "attachments" | "history" | "manager">,
): RecipientStatus | DeliveryTrace | undefined {
  if (typeof question !== "object" || question === null) return undefined;
  const { kind, recipient, cursor } = question as Record<string, unknown>;
  if (typeof recipient !== "string" || recipient.length > LONGEST_NAME) return undefined;
  const { attachments, history, manager } = gateway;
  const open = [...manager.connections.keys()].filter((connection) =>
    connection.recipients.includes(recipient)
  );
  if (kind === "trace" && typeof cursor === "string") {
    const byId = new Map(
      open.map(({ id, format, attached }) => [id, { transport: format.name, attached }]),
    );
    return traceDelivery({ recipient, cursor }, { history, attachments, open: byId });
  }
  if (kind !== "recipient") return undefined;
  const opened = attachments.events.filter(({ kind }) => kind === "opened");
  const since = new Map(opened.map(({ connection, at }) => [connection, at]));
  return {
    count: open.length,
    connections: open.slice(0, MAX_CONNECTIONS).map(({ id, format, attached, backlog }) => ({
      transport: format.name,
      ...since.has(id) ? { since: since.get(id)! } : {},
      backlogBytes: backlog,
      attached,
    })),
  };
}
