import { setTimeout as delay } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import type { DisconnectOrder } from "../bus/port.ts";
import { CLOSE } from "../core/close_codes.ts";
import type { Connection } from "../core/delivery/connection.ts";
import type { LookUps } from "../keystores/mod.ts";

const log = getLogger(["keywire", "gateway"]);

/** How many connections are closed in one turn of the event loop. */
const SLICE = 200;

/** Whom an order can mean. */
export interface Disconnectable {
  readonly recipients: readonly string[];
  /** SHA-256 of its key, in unpadded base64url. */
  readonly keyHash: string;
}

/** An admission whose connection is not open yet: what came since its look-up began may mean it. */
export class PendingAdmission {
  readonly #orders: DisconnectOrder[] = [];

  /** An order came. */
  add(order: DisconnectOrder): void {
    this.#orders.push(order);
  }

  /** Whether an order means `client`, which the look-up has told by now. */
  isDisconnected(client: Disconnectable): boolean {
    return this.#orders.some((order) => means(order)(client));
  }
}

/** Carries out what backends order: connections are closed, and what is about to connect is refused. */
export class Disconnects {
  readonly #lookUps: Pick<LookUps, "renew">;
  readonly #pending = new Set<PendingAdmission>();

  constructor(lookUps: Pick<LookUps, "renew">) {
    this.#lookUps = lookUps;
  }

  /** A look-up begins. */
  begin(): PendingAdmission {
    const pending = new PendingAdmission();
    this.#pending.add(pending);
    return pending;
  }

  /** The connection is open, or will not be. The second call does nothing. */
  end(pending: PendingAdmission): void {
    this.#pending.delete(pending);
  }

  /** Closes those of `connections` that the order means, and all whose look-up is under way. */
  async carryOut(
    order: DisconnectOrder,
    connections: ReadonlyMap<Connection, Disconnectable>,
  ): Promise<void> {
    this.#lookUps.renew();
    for (const pending of this.#pending) pending.add(order);
    const isMeant = means(order);
    const meant = [...connections].filter(([, client]) => isMeant(client));
    for (const [at, [connection]] of meant.entries()) {
      if (at > 0 && at % SLICE === 0) await delay(0);
      connection.close(CLOSE.revoked);
    }
    log.debug("Closed {count} connections as a backend ordered", { count: meant.length });
  }
}

function means({ recipients, keyHashes }: DisconnectOrder): (client: Disconnectable) => boolean {
  const [names, hashes] = [new Set(recipients), new Set(keyHashes)];
  return (client) =>
    hashes.has(client.keyHash) || client.recipients.some((recipient) => names.has(recipient));
}
