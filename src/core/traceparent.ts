import { findValue } from "./cut_member.ts";

/** The part of a W3C trace context that a span needs: without the state of vendors. */
export interface TraceContext {
  /** 32 hex digits. */
  readonly traceId: string;
  /** The span that caused what happens here: 16 hex digits. */
  readonly parentId: string;
  /** Whether the trace is recorded. */
  readonly isSampled: boolean;
}

const NAME = "traceparent";
const QUOTED_NAME = `"${NAME}"`;
/** Later versions may append fields to the flags. */
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]*)?$/;
const LONGEST = 256;

/**
 * Reads a `traceparent` of any version, as W3C Trace Context has it.
 * @returns undefined where it is malformed
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), {
 *   traceId: "0af7651916cd43dd8448eb211c80319c",
 *   parentId: "b7ad6b7169203331",
 *   isSampled: true,
 * });
 * assertEquals(parseTraceparent("00-1-2-01"), undefined);
 * ```
 */
export function parseTraceparent(text: string): TraceContext | undefined {
  if (text.length > LONGEST) return undefined;
  const [, version, traceId, parentId, flags, more] = TRACEPARENT.exec(text) ?? [];
  if (version === undefined || version === "ff") return undefined;
  if (version === "00" && more !== undefined) return undefined;
  if (/^0+$/.test(traceId!) || /^0+$/.test(parentId!)) return undefined;
  return { traceId: traceId!, parentId: parentId!, isSampled: (parseInt(flags!, 16) & 1) === 1 };
}

/**
 * The member `traceparent` of an object, as it is written there, found without a parse. A look at the
 * text alone settles it where there is none.
 * @param json a valid JSON object
 * @returns undefined where there is none; an empty text where it is no plain string
 */
export function findTraceparent(json: string): string | undefined {
  if (!json.includes(QUOTED_NAME)) return undefined;
  const at = findValue(json, NAME);
  if (at === undefined) return undefined;
  const end = json.indexOf('"', at + 1);
  return json[at] === '"' && end - at <= LONGEST ? json.slice(at + 1, end) : "";
}
