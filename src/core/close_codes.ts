/** Why Keywire closes a connection, and what a client should do about it. */
export interface CloseReason {
  /** The WebSocket close code; on SSE and polling the stream simply ends. */
  readonly code: number;
  /** The WebSocket close reason, for people. */
  readonly reason: string;
  /** What a client does next: come back by itself, only with another key, or not at all. */
  readonly retry: "yes" | "with another key" | "no";
}

/**
 * The one table of close codes. 1001 and 1012 come from RFC 6455 and the IANA registry; 4000 to 4999
 * are free for applications (RFC 6455 §7.4.2), and these mirror the HTTP status of the same meaning.
 */
export const CLOSE = {
  /** The server goes away, or the peer fell silent. */
  goingAway: { code: 1001, reason: "going away", retry: "yes" },
  /** The node restarts, or the key now has other recipients: come back. */
  restart: { code: 1012, reason: "service restart", retry: "yes" },
  /** A message of the client is larger than any that it has to send. */
  tooLarge: { code: 1009, reason: "message too large", retry: "no" },
  /** The key was withdrawn, or a backend disconnected its recipient. */
  revoked: { code: 4403, reason: "revoked", retry: "with another key" },
  /** The client did not read what it was sent. */
  tooSlow: { code: 4408, reason: "too slow", retry: "yes" },
  /** The client sends more texts than a client has to say: it comes back with the longest backoff. */
  tooManyTexts: { code: 4429, reason: "too many messages", retry: "yes" },
} as const satisfies Record<string, CloseReason>;
