import type { Bus } from "../bus/port.ts";
import type { KeyStore } from "../keystores/port.ts";

/** The answer of `/ready`: whether a balancer should send new clients here. */
export interface Readiness {
  readonly status: "ready" | "starting" | "draining" | "deaf";
  /** What is wrong with the bus, where anything is. */
  readonly detail?: string;
  readonly bus: "up" | "down";
  /** A store that is down refuses new keys only, so it takes no node out of the balancer. */
  readonly store: "up" | "down";
}

/** Says whether a node is ready: it was once, it is not going away, and it hears its bus. */
export class Health {
  #wasReady = false;

  constructor(
    readonly bus: Pick<Bus, "unhealthyReason">,
    readonly store: Pick<KeyStore, "status">,
    readonly node: { readonly isDraining: boolean },
  ) {}

  /** How the node is now. */
  readiness(): Readiness {
    const detail = this.bus.unhealthyReason;
    if (detail === undefined) this.#wasReady = true;
    const status = this.node.isDraining
      ? "draining"
      : detail === undefined
      ? "ready"
      : this.#wasReady
      ? "deaf"
      : "starting";
    return {
      status,
      ...(detail === undefined ? {} : { detail }),
      bus: detail === undefined ? "up" : "down",
      store: this.store.status,
    };
  }
}
