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

/** Writes a position as a cursor: of `[A-Za-z0-9._~-]`, at most 128 characters, opaque to clients. */
export function formatCursor({ stream, beat, since }: Position): string {
  return `${stream}~${beat}~${since}`;
}
