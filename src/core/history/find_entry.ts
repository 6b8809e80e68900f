import { type BroughtPosition, compareIds, formatCursor, type Source } from "../position.ts";
import type { History } from "./history.ts";
import type { HistoryEntry } from "./history_entry.ts";

/** An entry that a cursor names, or why it is not here. */
export type FoundEntry =
  | {
    readonly state: "here";
    readonly source: Source;
    readonly number: number;
    readonly entry: HistoryEntry;
  }
  | {
    /**
     * `ahead`: this node has not heard it yet. `evicted`: it is older than the window. `never`: the
     * stream has no such entry. `unknown`: this node cannot tell, as it has not heard the marker.
     */
    readonly state: "ahead" | "evicted" | "never" | "unknown";
    readonly source: Source;
  };

/**
 * The entries that a cursor names: one of the stream, one of the channel. Where one of them bears the
 * very cursor, it is that one alone.
 */
export function findEntry(history: History, position: BroughtPosition): readonly FoundEntry[] {
  const found = history.sources.flatMap((source) => {
    const one = source === "stream" ? inStream(history, position) : inChannel(history, position);
    return one === undefined ? [] : [one];
  });
  const { marker } = position;
  if (marker === undefined) return found;
  const cursor = formatCursor({ ...position, marker });
  const exact = found.filter((one) =>
    one.state === "here" && formatCursor(one.entry.position) === cursor
  );
  return exact.length > 0 ? exact : found;
}

function inStream(history: History, { stream }: BroughtPosition): FoundEntry | undefined {
  if (stream === "0-0") return undefined;
  const { window } = history;
  const source = "stream";
  if (compareIds(stream, history.position.stream) > 0) return { source, state: "ahead" };
  const number = window.search(({ position }) => compareIds(position.stream, stream) < 0);
  const entry = window.at(number);
  if (entry?.source === source && entry.position.stream === stream) {
    return { source, state: "here", number, entry };
  }
  return { source, state: number === window.first ? "evicted" : "never" };
}

function inChannel(history: History, position: BroughtPosition): FoundEntry | undefined {
  if (position.marker === undefined || position.since === 0) return undefined;
  const source = "channel";
  const { channel: located } = history.locate(position);
  if (located === "ahead") return { source, state: "ahead" };
  if (located === "unknown marker") return { source, state: "unknown" };
  if (located === "lost") return { source, state: "evicted" };
  const number = located.caughtUpAt;
  const entry = history.window.at(number);
  if (entry?.source === source) return { source, state: "here", number, entry };
  return { source, state: "evicted" };
}
