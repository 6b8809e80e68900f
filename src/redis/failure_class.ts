/** Why a connection to Redis ended, in the few words that label a metric. */
export const FAILURE_CLASSES = [
  "unreachable",
  "closed",
  "timeout",
  "silent",
  "replaced",
  "denied",
  "loading",
  "other",
] as const;

/** One of {@link FAILURE_CLASSES}. */
export type FailureClass = (typeof FAILURE_CLASSES)[number];

/** How reasons begin, by class: codes of Redis and the system, and what our own checks say. */
const BEGINNINGS: readonly (readonly [FailureClass, RegExp])[] = [
  ["replaced", /^(?:CLOSED: the master was replaced|READONLY|MASTERDOWN|CLUSTERDOWN|MOVED)/],
  ["closed", /^(?:CLOSED|ECONNRESET|EPIPE)/],
  ["unreachable", /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|SENTINEL)/],
  ["timeout", /^(?:TIMEOUT|ETIMEDOUT|no answer to the handshake)/],
  ["silent", /^(?:the subscription is silent|the reader trails)/],
  ["denied", /^(?:NOAUTH|WRONGPASS|NOPERM)/],
  ["loading", /^LOADING/],
];

/** The class of a reason, as `RedisConnection` gives it. */
export function failureClass(reason: string): FailureClass {
  return BEGINNINGS.find(([, beginning]) => beginning.test(reason))?.[0] ?? "other";
}
