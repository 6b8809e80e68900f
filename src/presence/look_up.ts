import type { Lease } from "./lease.ts";
import type { PresenceNames } from "./presence_names.ts";
import type { Shard } from "./shard.ts";
import { PresenceUnavailable, type RecipientPresence } from "./port.ts";

/** What a look-up needs. */
export interface LookUpOptions {
  /** The master that holds a key. */
  readonly shardOf: (key: string) => Shard;
  readonly lease: Pick<Lease, "wasReaped">;
  readonly names: PresenceNames;
}

/** How many records are read at once: other work has its turn in between. */
const PAGE = 500;

/**
 * Reads the records of `recipients`.
 * @throws {PresenceUnavailable}
 */
export async function lookUp(
  recipients: readonly string[],
  { shardOf, lease, names }: LookUpOptions,
): Promise<Map<string, RecipientPresence>> {
  const found = new Map<string, RecipientPresence>();
  const left = new Set(recipients).values();
  for (let page = [...left.take(PAGE)]; page.length > 0; page = [...left.take(PAGE)]) {
    const groups = Map.groupBy(page, (recipient) => shardOf(names.at(recipient)));
    await Promise.all([...groups].map(async ([shard, group]) => {
      const replies = await read(shard, group.map((recipient) => names.at(recipient)));
      for (const [index, recipient] of group.entries()) {
        const presence = readRecord(replies[index] as string[], lease);
        if (presence !== undefined) found.set(recipient, presence);
        else if (shard.isRebuilt) throw new PresenceUnavailable("Redis lost its data a moment ago");
      }
    }));
  }
  return found;
}

async function read(shard: Shard, keys: readonly string[]): Promise<readonly unknown[]> {
  if (!shard.isReady) throw new PresenceUnavailable("Redis is not connected");
  let replies: readonly unknown[];
  try {
    replies = await shard.send([
      ...keys.map((key) => ["HGETALL", key] as const),
      ["GET", shard.markKey],
    ]);
  } catch {
    throw new PresenceUnavailable("Redis did not answer");
  }
  if (!replies.every(Array.isArray) && replies.some((reply) => reply instanceof Error)) {
    throw new PresenceUnavailable("Redis refused to say who is there");
  }
  if (!shard.agrees(replies.at(-1))) {
    await shard.check();
    throw new PresenceUnavailable("Redis lost its data a moment ago");
  }
  return replies;
}

/** Undefined where the recipient is offline: a field without sockets, within its grace, does not count. */
function readRecord(
  hash: readonly string[],
  lease: LookUpOptions["lease"],
): RecipientPresence | undefined {
  let sockets = 0;
  let since = Infinity;
  let announced: number | undefined;
  for (let at = 0; at < hash.length; at += 2) {
    if (hash[at] === "!") {
      announced = parseInt(hash[at + 1]!);
      continue;
    }
    const [count, from] = hash[at + 1]!.split(" ").map(Number);
    if (lease.wasReaped(hash[at]!) || !count) continue;
    sockets += count;
    since = Math.min(since, from ?? Infinity);
  }
  return sockets === 0 ? undefined : { sockets, since: announced ?? since };
}
