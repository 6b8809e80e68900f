import { findEntry, type FoundEntry } from "../core/history/find_entry.ts";
import type { History } from "../core/history/history.ts";
import { formatCursor, parseCursor, type Source } from "../core/position.ts";
import type { AttachmentEvent, AttachmentLog } from "./attachment_log.ts";

/** What a message was to one connection of the recipient. */
export interface ConnectionTrace {
  /** Its format; absent where it was opened before the record begins. */
  readonly transport?: string;
  /** In milliseconds since 1970. */
  readonly openedAt?: number;
  readonly endedAt?: number;
  /** Why it ended. */
  readonly code?: number;
  /**
   * `written`: it was attached when the message came. `replayed`: it was read to it out of the window.
   * `lost`: it resumed, and was told that messages of this source may be lost. `later`: it began behind
   * the message. `ended`: it had ended before. `unattached`: it ended before it had caught up.
   */
  readonly outcome: "written" | "replayed" | "lost" | "later" | "ended" | "unattached";
}

/** What this node knows of a message that a recipient should have got. */
export interface MessageTrace {
  readonly source: Source;
  readonly state: FoundEntry["state"];
  /** When this node heard it, in milliseconds since 1970. */
  readonly at?: number;
  /** Whether it names the recipient, or everyone, or neither; or why it was dropped. */
  readonly names?: string;
  readonly connections?: readonly ConnectionTrace[];
}

/** What this node knows of why a recipient did not get a message: ids, times and outcomes. */
export interface DeliveryTrace {
  /** Where the node is. */
  readonly position: string;
  /** When the oldest message of the window was heard, in milliseconds since 1970. */
  readonly windowSince?: number;
  /** Since when it is known which connections there were, in milliseconds since 1970. */
  readonly recordSince: number;
  /** The messages that the cursor names; empty where it is no cursor. */
  readonly messages: readonly MessageTrace[];
  /** Gaps of this node, in milliseconds since 1970. */
  readonly gaps: readonly { readonly at: number; readonly source: string }[];
}

/** What is told of at most. */
const MAX_CONNECTIONS = 50;
const MAX_GAPS = 20;

export interface TraceOptions {
  readonly history: History;
  readonly attachments: Pick<AttachmentLog, "events" | "since">;
  /** The connections that are open, by their ids: whether they hear what comes. */
  readonly open: ReadonlyMap<number, { readonly transport: string; readonly attached: boolean }>;
}

/** Says what became of the message that `cursor` names, for `recipient`, on this node. */
export function traceDelivery(
  { recipient, cursor }: { readonly recipient: string; readonly cursor: string },
  { history, attachments, open }: TraceOptions,
): DeliveryTrace {
  const position = parseCursor(cursor);
  const { events } = attachments;
  const own = events.filter(({ recipients }) => recipients.includes(recipient));
  const { oldestAt } = history.window;
  return {
    position: formatCursor(history.position),
    ...oldestAt === undefined ? {} : { windowSince: toWallClock(oldestAt) },
    recordSince: attachments.since,
    messages: position === undefined ? [] : findEntry(history, position).map((found) => {
      const { source, state } = found;
      if (found.state !== "here") return { source, state };
      return {
        source,
        state,
        at: toWallClock(found.entry.at),
        names: namesOf(found, recipient),
        connections: traceConnections(found, own, open),
      };
    }),
    gaps: events.filter(({ kind }) => kind === "gap").slice(-MAX_GAPS)
      .map(({ at, detail }) => ({ at, source: detail })),
  };
}

function namesOf({ entry }: FoundEntry & { readonly state: "here" }, recipient: string): string {
  const delivery = entry.read();
  if (typeof delivery === "string") return delivery;
  if (delivery.recipients === "*") return "everyone";
  return delivery.recipients.includes(recipient) ? "recipient" : "others";
}

function traceConnections(
  { number, source }: FoundEntry & { readonly state: "here" },
  events: readonly AttachmentEvent[],
  open: TraceOptions["open"],
): ConnectionTrace[] {
  const byConnection = Map.groupBy(events, ({ connection }) => connection);
  for (const id of open.keys()) if (!byConnection.has(id)) byConnection.set(id, []);
  return [...byConnection].slice(-MAX_CONNECTIONS).map(([id, own]) => {
    const find = (kind: AttachmentEvent["kind"]) => own.find((event) => event.kind === kind);
    const opened = find("opened");
    const resumed = find("resumed");
    const attached = find("attached");
    const ended = find("ended");
    const isOpen = open.get(id);
    const transport = opened?.detail ?? isOpen?.transport;
    return {
      ...transport === undefined ? {} : { transport },
      ...opened === undefined ? {} : { openedAt: opened.at },
      ...ended === undefined ? {} : { endedAt: ended.at, code: Number(ended.detail) },
      outcome: outcomeOf(),
    };

    function outcomeOf(): ConnectionTrace["outcome"] {
      if (ended !== undefined && number >= ended.number) return "ended";
      // One that was opened before the record begins was attached by then, or is not yet.
      const attachedAt = attached?.number ??
        (opened === undefined && isOpen?.attached !== false ? -Infinity : Infinity);
      if (number >= attachedAt) return "written";
      if (resumed === undefined) return attachedAt === Infinity ? "unattached" : "later";
      const from = resumed.from?.[source];
      if (from === undefined) return "lost";
      return number < from ? "later" : attachedAt === Infinity ? "unattached" : "replayed";
    }
  });
}

/** The history's clock is the process's. */
function toWallClock(at: number): number {
  return Math.round(Date.now() - (performance.now() - at));
}
