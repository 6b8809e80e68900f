import { getLogger } from "@logtape/logtape";
import { type Presence, PresenceUnavailable } from "../presence/port.ts";

const log = getLogger(["keywire", "api"]);

/** How long presence may take before a publish goes without it, in milliseconds. */
const DEADLINE_MS = 1_000;

/** Of one message: how many are there, and who is not; both absent where that is not known. */
export interface Audience {
  readonly online?: number;
  readonly offline?: readonly string[];
}

/** What is asked of presence. */
export type AskedPresence = Pick<Presence, "lookUp" | "size">;

/**
 * Looks up who is there, for messages that are to be published right after: all of them by one
 * question. What is not known in time is left out, so that presence never delays a message for long.
 */
export async function lookUpAudience(
  presence: AskedPresence,
  messages: readonly { readonly recipients: readonly string[] | "*" }[],
): Promise<(recipients: readonly string[] | "*") => Audience> {
  const names = new Set(messages.flatMap(({ recipients }) => recipients === "*" ? [] : recipients));
  const hasAll = messages.some(({ recipients }) => recipients === "*");
  const [present, size] = await Promise.all([
    names.size === 0 ? new Map<string, unknown>() : known(() => presence.lookUp([...names])),
    hasAll ? known(() => presence.size()) : undefined,
  ]);
  return (recipients) => {
    if (recipients === "*") return size === undefined ? {} : { online: size };
    if (present === undefined) return {};
    const distinct = [...new Set(recipients)];
    const offline = distinct.filter((recipient) => !present.has(recipient));
    return { online: distinct.length - offline.length, offline };
  };
}

/** What `ask` returns, undefined where that is not known in time. */
async function known<T>(ask: () => Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), DEADLINE_MS);
  try {
    return await Promise.race([ask(), late]);
  } catch (error) {
    if (!(error instanceof PresenceUnavailable)) log.error("Presence failed: {error}", { error });
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
