/** The two ways in that a client can lose messages of: Pub/Sub, and the stream. */
export type Source = "channel" | "stream";

/**
 * A position is a place in both sources at once: everything up to it has been delivered or was not
 * addressed to the client. It is the node's, not the client's, so all connections share its text.
 */
export interface Position {
  /** The id of the last entry of the stream, `<milliseconds>-<sequence>`; `0-0` before the first. */
  readonly stream: string;
  /** The last marker heard on the channel; empty before the first, where no other node can follow. */
  readonly marker: string;
  /** How many messages came on the channel since that marker. */
  readonly since: number;
}

/** A position that a client brings. `marker` is undefined where it has no part of the channel. */
export type BroughtPosition = Omit<Position, "marker"> & { readonly marker: string | undefined };

/** The longest cursor that is looked at, in characters. */
const MAX_LENGTH = 128;
const CURSOR =
  /^((?:0|[1-9]\d{0,19})-(?:0|[1-9]\d{0,19}))(?:~([A-Za-z0-9_-]{0,32})~(0|[1-9]\d{0,15}))?$/;
/** Both halves of an id are unsigned integers of 64 bits. */
const LIMIT = String(2n ** 64n);

/** Writes a position as a cursor: of `[A-Za-z0-9._~-]`, at most 128 characters, opaque to clients. */
export function formatCursor({ stream, marker, since }: Position): string {
  return `${stream}~${marker}~${since}`;
}

/**
 * Reads a cursor that a client brought; undefined when it is none. The id of an entry of the stream
 * alone is a cursor without a part of the channel. Cheap, however long the text.
 */
export function parseCursor(text: string): BroughtPosition | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const [, stream, marker, digits = "0"] = CURSOR.exec(text) ?? [];
  if (stream === undefined) return undefined;
  const since = Number(digits);
  if (!Number.isSafeInteger(since) || halves(stream).some(tooLarge)) return undefined;
  return { stream, marker, since };
}

/** The position `ahead` of the channel's messages behind another. */
export function advance(position: Position, ahead: number): Position {
  if (ahead === 0) return position;
  const { stream, marker, since } = position;
  return { stream, marker, since: since + ahead };
}

/** Compares ids of the stream by their numbers: below, at or above zero, as for `Array.sort`. */
export function compareIds(a: string, b: string): number {
  if (a === b) return 0;
  const [aTime, aSequence] = halves(a);
  const [bTime, bSequence] = halves(b);
  return compareDecimals(aTime, bTime) || compareDecimals(aSequence, bSequence);
}

function halves(id: string): [string, string] {
  const dash = id.indexOf("-");
  return [id.slice(0, dash), id.slice(dash + 1)];
}

/** Compares numbers without leading zeros in their text, as they may exceed what a double holds. */
function compareDecimals(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

function tooLarge(decimal: string): boolean {
  return compareDecimals(decimal, LIMIT) >= 0;
}
