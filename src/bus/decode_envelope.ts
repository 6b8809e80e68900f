import { type Buffer, isUtf8 } from "node:buffer";
import type { Malformed } from "../core/malformed.ts";

/** An envelope's text; where its bytes are none, the reason, and an empty text. */
export interface DecodedEnvelope {
  readonly text: string;
  readonly malformed?: Malformed;
}

/** What a decoder writes for bytes that are not UTF-8, and what a text may hold by itself. */
const REPLACEMENT = "\ufffd";

/** Reads the bytes from `start` to `end` as UTF-8. They are checked only where that is in doubt. */
export function decodeEnvelope(bytes: Buffer, start = 0, end = bytes.length): DecodedEnvelope {
  const text = bytes.toString("utf8", start, end);
  return text.includes(REPLACEMENT) && !isUtf8(bytes.subarray(start, end))
    ? { text: "", malformed: "not_utf8" }
    : { text };
}
