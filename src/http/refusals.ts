/** Why a client is refused before it is connected; the answer is an RFC 9457 problem. */
export interface Refusal {
  /** The HTTP status. */
  readonly status: number;
  /** Its name in metrics, where clients meet it as they connect. */
  readonly reason?: string;
  /** What is wrong and what to do, in one line. */
  readonly detail: string;
  /** When it is worth trying again, in seconds. */
  readonly retryAfter?: number;
  /** Of what was asked of Redis: whether it was certainly not done, or may have been. */
  readonly outcome?: "refused" | "unknown";
}

/** The one table of refusals, on every transport. */
export const REFUSED = {
  handshake: {
    reason: "handshake",
    status: 400,
    detail: "Cannot connect as the WebSocket handshake is malformed: it needs GET, a Host, " +
      "'Connection: Upgrade', 'Upgrade: websocket' and a Sec-WebSocket-Key of 16 bytes in base64",
  },
  version: {
    reason: "version",
    status: 426,
    detail: "Cannot connect as Sec-WebSocket-Version must be 13",
  },
  origin: {
    reason: "origin",
    status: 403,
    detail: "Cannot connect as this page's origin is not allowed: add it to ALLOWED_ORIGINS",
  },
  key: {
    reason: "key",
    status: 400,
    detail:
      "Cannot connect as the key is missing or malformed: it must be 1 to 256 bytes of UTF-8 " +
      "without control characters, in the query, a Bearer header or a key.<base64url> subprotocol",
  },
  unknownKey: {
    reason: "unknown_key",
    status: 403,
    detail: "Cannot connect as the key is not known: ask the backend for a valid one",
  },
  gone: {
    reason: "gone",
    status: 400,
    detail: "Cannot connect as the client has gone away meanwhile",
  },
  method: {
    reason: "method",
    status: 405,
    detail: "Cannot connect with this method: use GET",
  },
  disconnected: {
    reason: "disconnected",
    status: 403,
    detail: "Cannot connect as a backend has just disconnected this client: ask it for a valid key",
  },
  draining: {
    reason: "draining",
    status: 503,
    detail: "Cannot connect as this node is going away: try again, another node will answer",
    retryAfter: 1,
  },
  node: {
    reason: "node_limit",
    status: 503,
    detail: "Cannot connect as this node has reached MAX_CONNECTIONS: try again later",
    retryAfter: 10,
  },
  address: {
    reason: "address_limit",
    status: 429,
    detail: "Cannot connect as this address has reached MAX_CONNECTIONS_PER_IP: close others first",
    retryAfter: 10,
  },
  keyLimit: {
    reason: "key_limit",
    status: 429,
    detail: "Cannot connect as this key has reached MAX_CONNECTIONS_PER_KEY: close others first",
    retryAfter: 10,
  },
  store: {
    reason: "store",
    status: 503,
    detail: "Cannot connect as the key store does not answer: try again later",
    retryAfter: 2,
  },
  historyLoading: {
    reason: "history_loading",
    status: 503,
    detail: "Cannot resume as this node is still reading its window: try again in a moment",
    retryAfter: 1,
  },
} as const satisfies Record<string, Refusal & { readonly reason: string }>;
