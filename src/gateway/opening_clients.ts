import { getLogger } from "@logtape/logtape";
import { rateLimited } from "../logging/rate_limited.ts";
import type { AdmittedClient } from "./admission.ts";

/** How long an admitted client may take until its transport opens the connection, in milliseconds. */
const DEADLINE_MS = 10_000;
/** Lines about clients that took longer are at least so far apart, in milliseconds. */
const LOG_EVERY_MS = 60_000;

const log = getLogger(["keywire", "gateway"]);

/**
 * Admitted clients whose transport has not opened a connection yet. Only an upgrade can fail to: where
 * a peer resets its connection between the last look at the sockets and the answer, the runtime fires
 * no event, and no program can get at the descriptor that it keeps.
 */
export class OpeningClients {
  readonly #since = new Map<AdmittedClient, number>();
  readonly #sayLost = rateLimited(LOG_EVERY_MS, (times) =>
    log.warn(
      "{times} upgrades did not open within 10 seconds, as their peers reset the connection: the " +
        "runtime keeps a descriptor for each until this process ends; restart this node before " +
        "keywire_upgrades_lost_total nears the number of descriptors that are left",
      { times },
    ));
  #lost = 0;

  /** How many did not open in time. */
  get lost(): number {
    return this.#lost;
  }

  /** `client` was admitted at `now`, in milliseconds. */
  add(client: AdmittedClient, now: number): void {
    this.#since.set(client, now);
  }

  /** Its connection was opened, or its peer is gone. */
  delete(client: AdmittedClient): void {
    this.#since.delete(client);
  }

  /** Takes those out whose time is over at `now`, in milliseconds. */
  takeOverdue(now: number): AdmittedClient[] {
    const overdue = [...this.#since].filter(([, since]) => now - since > DEADLINE_MS)
      .map(([client]) => client);
    for (const client of overdue) {
      this.#since.delete(client);
      this.#lost++;
      this.#sayLost();
    }
    return overdue;
  }
}
