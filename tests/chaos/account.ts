/** What a client heard, in order: the serial numbers of messages, and where it was told of a loss. */
export type Heard = number | "told";

/** What became of one message of a backend; its serial number is its place among its recipient's. */
export interface Published {
  /** The phase in which it was published. */
  readonly phase: number;
  /**
   * Whether Redis confirmed it. What it confirmed is owed exactly once. Where the reply was lost the
   * command may have been done, and it is never sent again: such a message is owed at most once.
   */
  confirmed: boolean;
}

/** What was found of the messages of one phase. */
export interface Account {
  /** Messages that reached a client for the first time. */
  deliveries: number;
  /** Messages owed to a client that it did not get, and was told of: `gap` or `recovered: false`. */
  lossesTold: number;
  /** Messages owed to a client that it did not get, and was not told of. */
  silentLosses: number;
  /** Messages that a client got once more. */
  doubles: number;
  /** Messages that a client got behind a later one. */
  disorders: number;
}

/** An account of nothing. */
export function emptyAccount(): Account {
  return { deliveries: 0, lossesTold: 0, silentLosses: 0, doubles: 0, disorders: 0 };
}

/**
 * Holds what one client heard against what was published for it. A loss counts as told only where
 * the client was told of one at the very place: after the last message before it and before the next.
 *
 * @param accounts one a phase, to which it is added
 */
export function settle(
  published: readonly Published[],
  heard: readonly Heard[],
  accounts: readonly Account[],
): void {
  const accountOf = (serial: number) => accounts[published[serial]!.phase]!;
  const seen = new Set<number>();
  const missing = new Map<number, "lossesTold" | "silentLosses">();
  let reached = -1;
  let told = false;
  const reach = (serial: number) => {
    for (let at = reached + 1; at < serial; at++) {
      if (published[at]!.confirmed) missing.set(at, told ? "lossesTold" : "silentLosses");
    }
    reached = serial;
    told = false;
  };
  for (const serial of heard) {
    if (serial === "told") {
      told = true;
    } else if (seen.has(serial)) {
      accountOf(serial).doubles++;
    } else {
      seen.add(serial);
      accountOf(serial).deliveries++;
      if (serial > reached) reach(serial);
      else {
        missing.delete(serial);
        accountOf(serial).disorders++;
      }
    }
  }
  reach(published.length);
  for (const [serial, kind] of missing) accountOf(serial)[kind]++;
}
