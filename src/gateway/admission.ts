import { getLogger } from "@logtape/logtape";
import type { Connection } from "../core/delivery/connection.ts";
import { clientAddress, clientNetwork } from "../http/client_address.ts";
import { readCursor, readKey, sha256 } from "../http/credentials.ts";
import { type Refusal, REFUSED } from "../http/refusals.ts";
import { type LookUps, StoreUnavailable } from "../keystores/mod.ts";
import type { Settings } from "../settings/settings.ts";
import type { Disconnects, PendingAdmission } from "./disconnects.ts";
import type { Limits, Slot } from "./limits.ts";
import { RefusalLog } from "./refusal_log.ts";

const log = getLogger(["keywire", "gateway"]);

export interface AdmissionOptions {
  readonly settings: Pick<Settings, "allowedOrigins" | "trustedProxies">;
  readonly lookUps: Pick<LookUps, "recipients">;
  readonly limits: Limits;
  readonly disconnects: Disconnects;
  /** The node: whether it goes away, and whether its window was read. */
  readonly node: {
    readonly isDraining: boolean;
    readonly isRestarting: boolean;
    readonly isHistoryLoaded: boolean;
  };
}

/** A client whose key may connect, and the slot that it holds. */
export interface AdmittedClient {
  readonly key: string;
  /** SHA-256 of the key, by which backends disconnect it on every node. */
  readonly keyHash: string;
  readonly recipients: readonly string[];
  /** The cursor that the client brought, as it wrote it. */
  readonly after: string | undefined;
  readonly slot: Slot;
  /** What came since its look-up began. */
  readonly pending: PendingAdmission;
  /** Its connection, once its transport has opened it. */
  connection: Connection | undefined;
}

/** Decides which clients may connect, before anything is upgraded. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #refusals = new RefusalLog();

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** What is wrong with the origin of a request; undefined when nothing is. */
  checkOrigin(request: Request): Refusal | undefined {
    const { allowedOrigins } = this.#options.settings;
    const origin = request.headers.get("Origin");
    const isAllowed = origin === null || allowedOrigins === "*" || allowedOrigins.includes(origin);
    if (isAllowed) return undefined;
    this.#refusals.add(REFUSED.origin, request);
    return REFUSED.origin;
  }

  /**
   * Checks origin, key, draining, limits and the store, in this order. A slot is reserved before the
   * look-up and given back on refusal; an admitted client holds it until its peer is gone.
   */
  async admit(request: Request, peer: string): Promise<AdmittedClient | Refusal> {
    const refused = this.checkOrigin(request);
    if (refused !== undefined) return refused;
    const admitted = await this.#admit(request, peer);
    if ("status" in admitted) this.#refusals.add(admitted, request);
    return admitted;
  }

  async #admit(request: Request, peer: string): Promise<AdmittedClient | Refusal> {
    const { settings: { trustedProxies }, limits, node } = this.#options;
    const key = readKey(request);
    if (key === undefined) return REFUSED.key;
    if (this.#isClosed) return REFUSED.draining;
    const after = readCursor(request);
    if (after !== undefined && !node.isHistoryLoaded) return REFUSED.historyLoading;
    const address = clientAddress(peer, request.headers.get("X-Forwarded-For"), trustedProxies);
    const slot = limits.reserve(clientNetwork(address));
    if (slot === "node") return REFUSED.node;
    if (slot === "address") return REFUSED.address;
    const { disconnects } = this.#options;
    const pending = disconnects.begin();
    const recipients = await this.#lookUp(key);
    const keyHash = sha256(key);
    const refusal = "status" in recipients
      ? recipients
      : this.#isClosed
      ? REFUSED.draining
      : pending.isDisconnected({ recipients, keyHash })
      ? REFUSED.disconnected
      : slot.reserveKey(key)
      ? undefined
      : REFUSED.keyLimit;
    if (refusal === undefined) {
      const admitted = recipients as readonly string[];
      return { key, keyHash, recipients: admitted, after, slot, pending, connection: undefined };
    }
    disconnects.end(pending);
    slot.release();
    return refusal;
  }

  get #isClosed(): boolean {
    const { isDraining, isRestarting } = this.#options.node;
    return isDraining || isRestarting;
  }

  async #lookUp(key: string): Promise<readonly string[] | Refusal> {
    try {
      return await this.#options.lookUps.recipients(key) ?? REFUSED.unknownKey;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) log.error("A look-up failed: {error}", { error });
      return REFUSED.store;
    }
  }
}
