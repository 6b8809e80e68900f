import { abortHandshake, openSocket } from "../support/clients.ts";
import { StalledClient } from "../support/stalled_client.ts";
import type { Redis } from "ioredis";
import { Keywire } from "../../webpage/keywire.js";

/** The people who connect: the names are their keys and their recipients. */
const PEOPLE = Array.from({ length: 100 }, (_, i) => `person-${i}`);
/** Who has much to hear, and devices that fall asleep. */
const SLEEPER = "sleeper";
/** The keys under which the clients of a {@link DailyLoad} connect. */
export const DAILY_KEYS: readonly string[] = [...PEOPLE, SLEEPER];

/** How many clients there are of each kind at a time. */
const CLIENTS = { v1: 120, sse: 60, plain: 100 };
/** How long a client stays, in ms; another follows it. */
const STAY_MS = { min: 10_000, max: 90_000 };
/** Messages to all of them in a second: half by the stream, half by the channel. */
const MESSAGES_PER_SECOND = 12;
const SLEEPER_BYTES_PER_SECOND = 100_000;
/** How often each of what every deployment meets comes, in ms. */
const DAILY_MS = { closedTab: 1_000, oldKey: 2_000, sleep: 120_000, apiPublish: 1_000 };

/** Where a {@link DailyLoad} goes. */
export interface DailyTarget {
  /** The proxy, to which clients connect. */
  readonly url: string;
  readonly port: number;
  /** Where a backend posts, as its own balancer would choose a node that is ready. */
  apiUrl(): string;
  readonly token: string;
  readonly redis: Redis;
}

type Kind = keyof typeof CLIENTS;

/** What a sane deployment sees each day: clients come, hear, fall asleep and go; backends publish. */
export class DailyLoad implements AsyncDisposable {
  /** What happened how often. */
  readonly counts = {
    delivered: 0,
    visits: 0,
    gaps: 0,
    refused: 0,
    closedTab: 0,
    oldKey: 0,
    sleep: 0,
    apiPublish: 0,
    failed: 0,
  };
  readonly #target: DailyTarget;
  readonly #timers: ReturnType<typeof setInterval>[] = [];
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #over = Promise.withResolvers<void>();
  #isOver = false;
  #sleepers: StalledClient[] = [];
  #next = 0;

  constructor(target: DailyTarget) {
    this.#target = target;
  }

  /** Lets everyone come, and goes on by itself. */
  start(): void {
    for (const kind of Object.keys(CLIENTS) as Kind[]) {
      for (let i = 0; i < CLIENTS[kind]; i++) this.#track(this.#comeAndGo(kind));
    }
    const { port, url, token, redis } = this.#target;
    let count = 0;
    this.#every(1000 / MESSAGES_PER_SECOND, () => {
      const message = envelope(++count % 4 < 2 ? "*" : PEOPLE, 200);
      return count % 2
        ? redis.publish("my_channel", message)
        : redis.xadd("my_stream", "MAXLEN", "~", 1000, "*", "message", message);
    });
    const much = envelope([SLEEPER], SLEEPER_BYTES_PER_SECOND / 4);
    this.#every(250, () => redis.publish("my_channel", much));
    this.#every(DAILY_MS.closedTab, () => {
      this.counts.closedTab++;
      return abortHandshake(port, `/websocket?${PEOPLE[0]}`, Math.random() * 20);
    });
    this.#every(DAILY_MS.oldKey, async () => {
      this.counts.oldKey++;
      const response = await fetch(`${url}/events?a-session-that-ended`);
      await response.body?.cancel();
    });
    this.#every(DAILY_MS.sleep, () => this.#fallAsleep());
    this.#every(DAILY_MS.apiPublish, async () => {
      const response = await fetch(`${this.#target.apiUrl()}/api/publish`, {
        method: "POST",
        headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
        body: envelope([PEOPLE[count % PEOPLE.length]!], 200),
      });
      await response.body?.cancel();
      this.counts.apiPublish++;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    this.#over.resolve();
    for (const timer of this.#timers) clearInterval(timer);
    for (const client of this.#sleepers) client[Symbol.dispose]();
    await Promise.allSettled(this.#underWay);
  }

  #every(ms: number, action: () => Promise<unknown>): void {
    this.#timers.push(setInterval(() => this.#track(action()), ms));
  }

  #track(work: Promise<unknown>): void {
    const done = work.catch(() => this.counts.failed++)
      .finally(() => this.#underWay.delete(done));
    this.#underWay.add(done);
  }

  async #comeAndGo(kind: Kind): Promise<void> {
    await this.#pass(Math.random() * 5_000);
    while (!this.#isOver) {
      const key = PEOPLE[this.#next++ % PEOPLE.length]!;
      const stays = this.#pass(STAY_MS.min + Math.random() * (STAY_MS.max - STAY_MS.min));
      this.counts.visits++;
      await (kind === "plain" ? this.#visitPlainly(key, stays) : this.#visit(kind, key, stays));
    }
  }

  /** A page with keywire.js, which comes back by itself from where it stopped. */
  async #visit(kind: Kind, key: string, stays: Promise<void>): Promise<void> {
    const transport = kind === "sse" ? "sse" : "websocket";
    const client = new Keywire(this.#target.url, { key, transport });
    client.addEventListener("message", () => this.counts.delivered++);
    client.addEventListener("gap", () => this.counts.gaps++);
    client.addEventListener("close", ({ code }) => {
      if (code >= 400 && code < 600) this.counts.refused++;
    });
    await stays;
    client.close();
  }

  /** A page of the old kind, which tries again after a second when it is refused or cut off. */
  async #visitPlainly(key: string, stays: Promise<void>): Promise<void> {
    let left = false;
    stays.then(() => left = true);
    while (!left) {
      const client = await openSocket(this.#target.url, key).catch(() => undefined);
      if (client === undefined) {
        this.counts.refused++;
      } else {
        client.socket.onmessage = () => this.counts.delivered++;
        await Promise.race([stays, client.closed]);
        client.socket.close();
      }
      if (!left) await this.#pass(1_000);
    }
  }

  /** A device falls asleep; the one that has slept longest wakes up elsewhere, with another address. */
  async #fallAsleep(): Promise<void> {
    this.counts.sleep++;
    const sse = this.counts.sleep % 2 === 0;
    this.#sleepers.push(await StalledClient.open(this.#target.port, SLEEPER, { sse }));
    if (this.#sleepers.length > 3) this.#sleepers.shift()![Symbol.dispose]();
  }

  /** Waits, but not beyond the end. */
  async #pass(ms: number): Promise<void> {
    let timer;
    await Promise.race([
      this.#over.promise,
      new Promise<void>((resolve) => timer = setTimeout(resolve, ms)),
    ]);
    clearTimeout(timer);
  }
}

function envelope(recipients: "*" | readonly string[], bytes: number): string {
  return JSON.stringify({ recipients, x: "x".repeat(bytes) });
}
