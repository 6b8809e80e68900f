import type { PartHealth } from "../core/part_health.ts";
import type { Bus } from "../bus/port.ts";
import type { Presence } from "../presence/port.ts";
import type { KeyStore } from "../keystores/port.ts";

/** How one part is, as `/ready` tells it: no hosts, no addresses. */
export interface PartReadiness {
  readonly status: "up" | "down";
  /** What is wrong, where anything is. */
  readonly reason?: string;
  /** Since when, in ISO 8601. */
  readonly since: string;
}

/** The answer of `/ready`: whether a balancer should send new clients here. */
export interface Readiness {
  readonly status: "ready" | "starting" | "draining" | "deaf";
  /** What is wrong with the bus, where anything is. */
  readonly detail?: string;
  readonly bus: "up" | "down";
  /** A store that is down refuses new keys only, so it takes no node out of the balancer. */
  readonly store: "up" | "down";
  /** Each part by its name. */
  readonly parts: Readonly<Record<string, PartReadiness>>;
}

/** Says whether a node is ready: it was once, it is not going away, and it hears its bus. */
export class Health {
  #wasReady = false;

  constructor(
    readonly bus: Pick<Bus, "unhealthyReason" | "parts" | "failures">,
    readonly store: Pick<KeyStore, "status" | "part">,
    readonly node: { readonly isDraining: boolean },
    readonly presence?: Pick<Presence, "part">,
  ) {}

  /** How the node is now. */
  readiness(): Readiness {
    const notices = this.presence?.part;
    const detail = this.bus.unhealthyReason ?? notices?.reason;
    if (detail === undefined) this.#wasReady = true;
    const status = this.node.isDraining
      ? "draining"
      : detail === undefined
      ? "ready"
      : this.#wasReady
      ? "deaf"
      : "starting";
    // The bus tells of notices that it publishes by itself, presence of all.
    const parts = [...this.bus.parts, ...notices === undefined ? [] : [notices], this.store.part];
    return {
      status,
      ...(detail === undefined ? {} : { detail }),
      bus: detail === undefined ? "up" : "down",
      store: this.store.status,
      parts: Object.fromEntries(parts.map((part) => [part.name, partReadiness(part)])),
    };
  }
}

function partReadiness({ reason, since }: PartHealth): PartReadiness {
  const at = new Date(since).toISOString();
  return reason === undefined ? { status: "up", since: at } : { status: "down", reason, since: at };
}
