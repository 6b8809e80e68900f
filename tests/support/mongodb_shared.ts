import { answers, type MongodbServer } from "./mongodb_server.ts";
import { Proxy } from "./proxy.ts";
import { waitFor } from "./wait.ts";

/** A server that others use too: its faults are those of a proxy in front of it. */
export class SharedMongodb implements MongodbServer {
  readonly url: string;
  readonly #proxy: Proxy;
  #refusing = false;

  /** @param url the connection string of one server on 127.0.0.1 */
  constructor(url: string) {
    const direct = new URL(url);
    if (direct.protocol !== "mongodb:" || !["127.0.0.1", "localhost"].includes(direct.hostname)) {
      throw new Error("TEST_MONGODB_URL must be mongodb://127.0.0.1:<port>/: it is proxied");
    }
    this.#proxy = new Proxy(Number(direct.port || 27017));
    direct.host = `127.0.0.1:${this.#proxy.port}`;
    // A member of a replica set would send the driver past the proxy.
    direct.searchParams.set("directConnection", "true");
    this.url = direct.href;
  }

  async start(): Promise<void> {
    await this.#accept();
    await answers(this.url);
  }

  // deno-lint-ignore require-await -- other servers need time for it
  async kill(): Promise<void> {
    this.#proxy.refuse();
    this.#refusing = true;
  }

  // deno-lint-ignore require-await -- other servers need time for it
  async freeze(): Promise<void> {
    this.#proxy.hold();
  }

  // deno-lint-ignore require-await -- other servers need time for it
  async thaw(): Promise<void> {
    this.#proxy.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#accept();
    await this.#proxy[Symbol.asyncDispose]();
  }

  /** The port is free again only once the listener that had it has let go. */
  async #accept(): Promise<void> {
    await waitFor("the proxy's port", () => {
      try {
        if (this.#refusing) this.#proxy.accept();
      } catch (error) {
        if (error instanceof Deno.errors.AddrInUse) return false;
        throw error;
      }
      this.#refusing = false;
      return true;
    });
  }
}
