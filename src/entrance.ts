import { getLogger } from "@logtape/logtape";
import { clientAddress } from "./core/address.ts";
import { readAfter, readKey } from "./core/key.ts";
import type { Limits, Place } from "./core/limits.ts";
import { type Refusal, REFUSED } from "./core/refusals.ts";
import { type LookUps, StoreUnavailable } from "./keystores/mod.ts";
import type { Settings } from "./settings.ts";
import type { Admission } from "./transports/port.ts";

const log = getLogger(["keywire", "entrance"]);

export interface EntranceOptions {
  readonly settings: Pick<Settings, "allowedOrigins" | "trustedProxies">;
  readonly lookUps: Pick<LookUps, "recipients">;
  readonly limits: Limits;
  /** The node: whether it goes away, and whether its window has been read. */
  readonly node: { readonly draining: boolean; readonly filledOnce: boolean };
}

/** Says who may connect, before anything is upgraded. */
export class Entrance {
  readonly #options: EntranceOptions;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  /**
   * Checks origin, key, draining, limits and the store, in this order. A place is reserved before the
   * look-up and given back on refusal; whoever is admitted holds it until it is released.
   */
  async admit(request: Request, peer: string): Promise<Admission | Refusal> {
    const { settings: { allowedOrigins, trustedProxies }, limits, node } = this.#options;
    const origin = request.headers.get("Origin");
    if (origin !== null && allowedOrigins !== "*" && !allowedOrigins.includes(origin)) {
      return REFUSED.origin;
    }
    const key = readKey(request);
    if (key === undefined) return REFUSED.key;
    if (node.draining) return REFUSED.draining;
    const after = request.headers.get("Last-Event-ID") ?? readAfter(request.url);
    if (after !== undefined && !node.filledOnce) return REFUSED.filling;
    const address = clientAddress(peer, request.headers.get("X-Forwarded-For"), trustedProxies);
    const place = limits.reserve(address);
    if (place === "node") return REFUSED.node;
    if (place === "address") return REFUSED.address;
    const recipients = await this.#lookUp(key);
    const refusal = "status" in recipients
      ? recipients
      : node.draining
      ? REFUSED.draining
      : place.takeKey(key)
      ? undefined
      : REFUSED.keyLimit;
    if (refusal === undefined) {
      return new Admitted(key, recipients as readonly string[], after, place);
    }
    place.release();
    return refusal;
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

class Admitted implements Admission {
  constructor(
    readonly key: string,
    readonly recipients: readonly string[],
    readonly after: string | undefined,
    readonly place: Place,
  ) {}

  release(): void {
    this.place.release();
  }
}
