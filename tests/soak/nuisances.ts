import { abortHandshake, openSocket } from "../support/clients.ts";
import type { KeywireProcess } from "../support/gateway.ts";

/** How often each of them comes, in milliseconds. */
const EVERY_MS = { abort: 100, refused: 100, flood: 2_000, slowBody: 500 };
/** How many texts a client sends that floods. */
const TEXTS = 5_000;

/** Clients that no gateway wants: they abort handshakes, bring no right key, flood, and post slowly. */
export class Nuisances implements AsyncDisposable {
  /** How often each kind came. */
  readonly counts = { abort: 0, refused: 0, flood: 0, slowBody: 0 };
  readonly #gateway: KeywireProcess;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #timers: ReturnType<typeof setInterval>[] = [];

  constructor(gateway: KeywireProcess) {
    this.#gateway = gateway;
  }

  /** Lets them come, again and again. */
  start(): void {
    const { port, url } = this.#gateway;
    this.#every("abort", () => abortHandshake(port, "/websocket?crowd", 25 * Math.random() ** 2));
    this.#every("refused", async () => {
      const response = await fetch(`${url}/events?unknown`);
      await response.body?.cancel();
    });
    this.#every("flood", async () => {
      const client = await openSocket(url, "crowd");
      for (let n = 0; n < TEXTS; n++) client.socket.send("x");
      await client.closed;
    });
    this.#every("slowBody", () => this.#postSlowly());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.allSettled(this.#underWay);
  }

  #every(kind: keyof typeof EVERY_MS, come: () => Promise<unknown>): void {
    this.#timers.push(setInterval(() => {
      this.counts[kind]++;
      const done = come().catch(() => {}).finally(() => this.#underWay.delete(done));
      this.#underWay.add(done);
    }, EVERY_MS[kind]));
  }

  /** Begins a body and never ends it; the gateway ends the request. */
  async #postSlowly(): Promise<void> {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: this.#gateway.port });
    const path = Math.random() < 0.5 ? "/api/publish" : "/websocket?crowd";
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
      "X-Socket-Transport: xhrPolling\r\nContent-Length: 100000\r\n\r\n{";
    await connection.write(new TextEncoder().encode(head));
    await connection.read(new Uint8Array(65_536));
  }
}
