/**
 * A position is a place in both sources at once: everything up to it has been delivered or was not
 * addressed to the client. It is the node's, not the client's, so all connections share its text.
 */
export interface Position {
  /** The id of the last entry of the stream, `<milliseconds>-<sequence>`; `0-0` before the first. */
  readonly stream: string;
  /** The last beat heard on the channel; empty before the first, where no other node can follow. */
  readonly beat: string;
  /** The number of the channel's messages since that beat. */
  readonly since: number;
}

/** The longest cursor that is looked at, in characters. */
const MAX_LENGTH = 128;
const CURSOR =
  /^((?:0|[1-9]\d{0,19})-(?:0|[1-9]\d{0,19}))~([A-Za-z0-9_-]{0,32})~(0|[1-9]\d{0,15})$/;
/** Both halves of an id are unsigned integers of 64 bits. */
const LIMIT = String(2n ** 64n);

/** Writes a position as a cursor: of `[A-Za-z0-9._~-]`, at most 128 characters, opaque to clients. */
export function formatCursor({ stream, beat, since }: Position): string {
  return `${stream}~${beat}~${since}`;
}

/** Reads a cursor that a client brought; undefined when this is none. Cheap, however long the text. */
export function parseCursor(text: string): Position | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const [, stream, beat, digits] = CURSOR.exec(text) ?? [];
  if (stream === undefined || beat === undefined) return undefined;
  const since = Number(digits);
  if (!Number.isSafeInteger(since) || halves(stream).some(tooLarge)) return undefined;
  return { stream, beat, since };
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
