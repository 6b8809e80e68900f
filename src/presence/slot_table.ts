import slotOf from "cluster-key-slot";

/** The masters of a Cluster: `<host>:<port>` → the slots that each holds. */
export type SlotTable = ReadonlyMap<
  string,
  {
    readonly host: string;
    readonly port: number;
    readonly ranges: readonly (readonly [from: number, to: number])[];
  }
>;

/** How many slots there are. */
export const SLOTS = 16_384;

/** The slot of a key. */
export function slotOfKey(key: string): number {
  return slotOf(key);
}

/** A short text that hashes to `slot`. */
export function tagOfSlot(slot: number): string {
  for (let at = 0;; at++) {
    const tag = at.toString(36);
    if (slotOf(tag) === slot) return tag;
  }
}

/**
 * Reads the reply of `CLUSTER SLOTS`.
 * @param asked the host that answered, which may not know its own name
 */
export function readSlots(reply: unknown, asked: string): SlotTable {
  const table = new Map<
    string,
    { host: string; port: number; ranges: (readonly [number, number])[] }
  >();
  for (const range of Array.isArray(reply) ? reply : []) {
    const [from, to, master] = range as [number, number, [string | null, number]];
    const host = master[0] || asked;
    const port = Number(master[1]);
    const name = `${host}:${port}`;
    const entry = table.get(name) ?? { host, port, ranges: [] };
    entry.ranges.push([Number(from), Number(to)]);
    table.set(name, entry);
  }
  return table;
}
