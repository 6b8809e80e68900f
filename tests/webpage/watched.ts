import { Keywire, type KeywireOptions } from "../../webpage/keywire.js";
import { waitFor } from "../support/wait.ts";

/** What a client fired, and its members. */
export type Fired = { readonly type: string; readonly [member: string]: unknown };

/** Delays with which a test need not wait. */
export const FAST = {
  minDelayMs: 4,
  maxDelayMs: 30,
  pingMs: 60,
  dialMs: 2_000,
  upgradeMs: 50,
  gapJitterMs: 0,
};

/** A client, and everything that it fires. */
export class Watched implements Disposable {
  readonly client: Keywire;
  readonly fired: Fired[] = [];

  constructor(url: string, options: Partial<KeywireOptions> = {}) {
    this.client = new Keywire(url, { key: "demo", ...FAST, ...options });
    for (const type of ["message", "welcome", "gap", "close", "error", "state"] as const) {
      this.client.addEventListener(type, (event) => {
        // Only what the client gave it: the rest of an event hides behind accessors and symbols.
        this.fired.push({ ...JSON.parse(JSON.stringify(event)), type });
      });
    }
  }

  /** The messages so far. */
  get messages(): unknown[] {
    return this.of("message").map(({ data }) => data);
  }

  /** The events of one type so far. */
  of(type: string): Fired[] {
    return this.fired.filter((event) => event.type === type);
  }

  /** Waits until `count` events of a type were fired, and returns the last one. */
  async until(type: string, count = 1): Promise<Fired> {
    await waitFor(`${count} × ${type}`, () => this.of(type).length >= count);
    return this.of(type)[count - 1]!;
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}
