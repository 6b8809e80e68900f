import { openEvents, openSocket } from "../support/clients.ts";
import type { KeywireProcess } from "../support/gateway.ts";
import type { Backend } from "../support/redis_client.ts";
import { StalledClient } from "../support/stalled_client.ts";

/** The keys under which the clients of a {@link Load} connect. */
export const LOAD_KEYS = ["crowd", "slow"];
/** How many clients there are of each kind: each message is for all of them. */
const CLIENTS = { v1: 200, plain: 200, sse: 100 };
const MESSAGES_PER_SECOND = 11;
/** How many clients leave, and are followed by others, in a second. */
const CHANGES_PER_SECOND = 20;
/** Clients that never read: what comes for them cuts each off within about a minute. */
const SLOW = { clients: 4, bytesPerSecond: 200_000, replacedEveryMs: 15_000 };

type Kind = keyof typeof CLIENTS;

/** Clients that come, hear and go, some of which never read. */
export class Load implements Disposable {
  /** What arrived at clients that read. */
  delivered = 0;
  /** Clients that went and were followed by others. */
  changes = 0;
  readonly #gateway: KeywireProcess;
  readonly #backend: Backend;
  readonly #crowd: { kind: Kind; leave: () => void }[] = [];
  readonly #slow: StalledClient[] = [];
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  #isOver = false;

  constructor(gateway: KeywireProcess, backend: Backend) {
    this.#gateway = gateway;
    this.#backend = backend;
  }

  /** Lets every client in, and goes on by itself. */
  async start(): Promise<void> {
    for (const kind of Object.keys(CLIENTS) as Kind[]) {
      for (let i = 0; i < CLIENTS[kind]; i++) await this.#enter(kind);
    }
    let count = 0;
    const message = envelope("crowd", 200);
    this.#every(1000 / MESSAGES_PER_SECOND, () => {
      const { redis } = this.#backend;
      return ++count % 2
        ? redis.publish("my_channel", message)
        : redis.xadd("my_stream", "MAXLEN", "~", 1000, "*", "message", message);
    });
    const flood = envelope("slow", SLOW.bytesPerSecond / 4);
    this.#every(250, () => this.#backend.redis.publish("my_channel", flood));
    this.#every(1000 / CHANGES_PER_SECOND, () => this.#change());
    this.#every(SLOW.replacedEveryMs, () => this.#replaceSlow());
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#leave();
  }

  #leave(): void {
    for (const { leave } of this.#crowd.splice(0)) leave();
    for (const client of this.#slow.splice(0)) client[Symbol.dispose]();
  }

  #every(ms: number, action: () => Promise<unknown>): void {
    this.#timers.push(setInterval(action, ms));
  }

  async #enter(kind: Kind): Promise<void> {
    const { url } = this.#gateway;
    if (kind === "sse") {
      const client = await openEvents(url, "crowd");
      // Its lists would keep all that it hears.
      client.messages.push = () => ++this.delivered;
      client.blocks.push = () => 0;
      this.#crowd.push({ kind, leave: () => client[Symbol.dispose]() });
      return;
    }
    const { socket } = await openSocket(url, "crowd", { v1: kind === "v1" });
    socket.onmessage = ({ data }) => {
      this.delivered += kind === "v1" ? data.split('"type":"message"').length - 1 : 1;
    };
    this.#crowd.push({ kind, leave: () => socket.close() });
  }

  /** The one that has been there longest leaves, and another of its kind comes. */
  async #change(): Promise<void> {
    const oldest = this.#crowd.shift();
    if (oldest === undefined) return;
    oldest.leave();
    this.changes++;
    await this.#enter(oldest.kind);
    if (this.#isOver) this.#leave(); // It was on its way when all the others left.
  }

  /** One more that never reads; the first of too many, cut off by now, goes away. */
  async #replaceSlow(): Promise<void> {
    const sse = Math.random() < 0.5;
    this.#slow.push(await StalledClient.open(this.#gateway.port, "slow", { sse }));
    if (this.#slow.length > SLOW.clients) this.#slow.shift()![Symbol.dispose]();
    if (this.#isOver) this.#leave();
  }
}

function envelope(recipient: string, bytes: number): string {
  return JSON.stringify({ recipients: [recipient], x: "x".repeat(bytes) });
}
