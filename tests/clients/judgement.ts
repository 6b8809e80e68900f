/** How the outcome of a trial is told from what a client's program told. */
import type { ClientProcess, Told } from "./client_process.ts";

/** Undefined where a client got just `expected` since it was judged last; else what is wrong. */
export async function got(
  process: ClientProcess,
  expected: readonly string[],
  timeoutMs = 10_000,
): Promise<string | undefined> {
  await process.hears(process.judged + expected.length, timeoutMs);
  const messages = process.messages.slice(process.judged);
  process.judged += messages.length;
  if (messages.join("\n") === expected.join("\n")) return undefined;
  const missing = expected.filter((message) => !messages.includes(message)).length;
  return messages.length === 0 ? "hears nothing" : missing > 0 ? `loses ${missing}` : "disorder";
}

/** Whether it tells of the connection, and not of what came by it. */
export const isBreak = ({ is }: Told) => is !== "frame" && is !== "event";
/** Whether an attempt failed, or a connection ended. */
export const isFailure = ({ is }: Told) => is === "refused" || is === "closed" || is === "error";

/** What a client says of the end of its connection. */
export function ending(told: readonly Told[]): string {
  const closed = told.find(({ is }) => is === "closed");
  return closed?.is === "closed" && closed.code ? `${closed.code}` : "end";
}

/** Whether a client shows the status of a refusal. */
export function seen({ told }: ClientProcess, status: number): string {
  return told.some((each) => each.is === "refused" && each.status === status)
    ? `${status}`
    : "hidden";
}
