import type { NodeFigures, NodeStatus } from "./port.ts";

type Members = Readonly<Record<string, unknown>>;

/** The longest text of a node that is taken, in characters. */
const LONGEST = 1_000;
/** The last moment that a date can be, in milliseconds since 1970. */
const LAST_MOMENT = 8.64e15;
const RATES = ["messagesPerSecond", "deliveriesPerSecond", "readySeconds", "lagMs"] as const;
const NUMBERS = ["loopDelayMs", "memoryBytes", "slots", "slotsMax", "backlogBytes"] as const;
const COUNTS = ["refused", "dropped", "closed", "gaps"] as const;
const STATUSES: readonly unknown[] = ["ready", "starting", "draining", "deaf"];

/**
 * Reads what a node says of itself in its lease. Redis holds whatever was written there, so that what
 * makes no sense is left out: one bad lease must not spoil the view of all nodes.
 * @returns undefined where it is that of no node
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const node = { address: "10.0.0.7:8088", version: "1.0.0", since: 0, connections: 3 };
 * assertEquals(readNodeStatus({ ...node, lagMs: "none" }), node);
 * assertEquals(readNodeStatus({ ...node, connections: "3" }), undefined);
 * ```
 */
export function readNodeStatus(data: Members): NodeStatus | undefined {
  const { address, version, since, connections, trouble, isDraining } = data;
  if (!isText(address) || !isText(version)) return undefined;
  if (!isNumber(since) || since > LAST_MOMENT || !Number.isSafeInteger(connections)) {
    return undefined;
  }
  const figures = readFigures(data.figures);
  return {
    address,
    version,
    since,
    connections: Math.max(0, connections as number),
    ...Object.fromEntries(
      RATES.flatMap((name) => isNumber(data[name]) ? [[name, data[name]]] : []),
    ),
    ...isText(trouble) ? { trouble } : {},
    ...isDraining === true ? { isDraining } : {},
    ...figures === undefined ? {} : { figures },
  };
}

/** Figures are taken as a whole or not at all: a newer version may tell more, none tells less. */
function readFigures(value: unknown): NodeFigures | undefined {
  if (!isObject(value)) return undefined;
  const { status, partsDown, probeMs } = value;
  const isWhole = STATUSES.includes(status) &&
    Array.isArray(partsDown) && partsDown.every(isText) &&
    NUMBERS.every((name) => isNumber(value[name])) &&
    COUNTS.every((name) => isObject(value[name]) && Object.values(value[name]).every(isNumber)) &&
    (probeMs === undefined || isNumber(probeMs));
  return isWhole ? value as unknown as NodeFigures : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= LONGEST;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
