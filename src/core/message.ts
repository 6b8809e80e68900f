/**
 * The envelope: a JSON object that names its `recipients` and carries anything else.
 *
 * What is delivered is the text of that object without the `recipients` member, every other byte as
 * the backend wrote it: parsing and printing again would change 12345678901234567890, 1e400 and 1.0.
 */
export interface Message {
  /** The distinct names that should hear it, in their order, or everyone connected. */
  readonly recipients: readonly string[] | "*";
  /** The delivered JSON object, on one line. */
  readonly body: string;
}

/** Why an envelope was dropped; these are the values of the metric's `reason` label. */
export type Malformed =
  | "too_large"
  | "not_json"
  | "not_object"
  | "no_recipients"
  | "repeated_recipients"
  | "numeric_recipients"
  | "wrong_recipients";

/**
 * Reads one envelope. Returns the message, or the reason why it is none; it never throws.
 *
 * @param maxBytes the largest envelope taken, in bytes of UTF-8
 */
export function parseMessage(_text: string, _maxBytes: number): Message | Malformed {
  return "not_json";
}

/**
 * Whether an envelope is surely for nobody whom `has` knows, by a look at its first bytes alone: the
 * common case in a cluster, where most messages are for sockets of other nodes. `false` says nothing.
 */
export function isForNobody(_text: string, _has: (recipient: string) => boolean): boolean {
  return false;
}
