import { getLogger } from "@logtape/logtape";
import { type Presence, PresenceUnavailable, type RecipientPresence } from "../presence/port.ts";
import { WorkSlices } from "./work_slices.ts";

const log = getLogger(["keywire", "api"]);

/** How long presence may take before a publish goes without it, in milliseconds. */
const DEADLINE_MS = 1_000;
/** How many names are asked about at once: past the deadline no more are. */
const PAGE = 500;

/** Of one message: how many are there, and who is not; both absent where that is not known. */
export interface Audience {
  readonly online?: number;
  readonly offline?: readonly string[];
}

/** What is asked of presence. */
export type AskedPresence = Pick<Presence, "lookUp" | "size">;

/**
 * Looks up who is there, for messages that are to be published right after: each name once. What is
 * not known in time is left out, so that presence never delays a message for long.
 * @returns the audiences of the messages, in their order
 */
export async function lookUpAudiences(
  presence: AskedPresence,
  messages: readonly { readonly recipients: readonly string[] | "*" }[],
): Promise<Audience[]> {
  const slices = new WorkSlices();
  const distinct: (readonly string[] | "*")[] = [];
  const names = new Set<string>();
  for (const { recipients } of messages) {
    if (slices.isOver) await slices.turn();
    const each = recipients === "*" ? recipients : [...new Set(recipients)];
    distinct.push(each);
    if (each !== "*") { for (const name of each) names.add(name); }
  }
  const [present, size] = await Promise.all([
    known((isLate) => lookUpAll(presence, names, isLate)),
    distinct.includes("*") ? known(() => presence.size()) : undefined,
  ]);
  const audiences: Audience[] = [];
  for (const recipients of distinct) {
    if (slices.isOver) await slices.turn();
    audiences.push(audienceOf(recipients, { present, size }));
  }
  return audiences;
}

function audienceOf(
  recipients: readonly string[] | "*",
  { present, size }: {
    readonly present: ReadonlyMap<string, RecipientPresence> | undefined;
    readonly size: number | undefined;
  },
): Audience {
  if (recipients === "*") return size === undefined ? {} : { online: size };
  if (present === undefined) return {};
  const offline = recipients.filter((recipient) => !present.has(recipient));
  return { online: recipients.length - offline.length, offline };
}

/** Looks `names` up, page by page, for as long as a caller waits for the answer. */
async function lookUpAll(
  presence: AskedPresence,
  names: ReadonlySet<string>,
  isLate: () => boolean,
): Promise<ReadonlyMap<string, RecipientPresence>> {
  const slices = new WorkSlices();
  const found = new Map<string, RecipientPresence>();
  const left = names.values();
  for (;;) {
    if (slices.isOver) await slices.turn();
    const page = [...left.take(PAGE)];
    if (page.length === 0 || isLate()) return found;
    for (const [name, its] of await presence.lookUp(page)) found.set(name, its);
  }
}

/** What `ask` returns, undefined where that is not known in time. */
async function known<T>(ask: (isLate: () => boolean) => Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    resolve(undefined);
  }, DEADLINE_MS);
  try {
    return await Promise.race([ask(() => isLate), late]);
  } catch (error) {
    if (!(error instanceof PresenceUnavailable)) log.error("Presence failed: {error}", { error });
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
