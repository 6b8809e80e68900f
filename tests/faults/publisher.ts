import { last } from "../support/wait.ts";
import { tellRedis } from "../support/redis.ts";
import type { Bus } from "./stage_bus.ts";

/** The two ways in whose messages clients tell apart. */
export type Source = "stream" | "channel";
/** Both. */
export const SOURCES: readonly Source[] = ["stream", "channel"];

/** One message, and whether Redis confirmed it. */
export interface Published {
  readonly source: Source;
  readonly n: number;
  /** By `performance.now()`. */
  readonly at: number;
  isConfirmed: boolean;
}

const EVERY_MS = 100;
/** How long a backend waits for Redis. */
const PATIENCE_MS = 1_000;

/** A backend that publishes to `demo`, by stream and by channel, ten messages a second each. */
export class Publisher {
  readonly published: Published[] = [];
  readonly #bus: Bus;
  readonly #running: Promise<void>[];
  #stopped = false;

  constructor(bus: Bus) {
    this.#bus = bus;
    this.#running = SOURCES.map((source) => this.#run(source));
  }

  /** Publishes no more; resolves when what is under way has its answer. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
  }

  async #run(source: Source): Promise<void> {
    for (let n = 0; !this.#stopped; n++) {
      const message: Published = { source, n, at: performance.now(), isConfirmed: false };
      this.published.push(message);
      message.isConfirmed = await withDeadline(this.#publish(source, n), PATIENCE_MS)
        .then((reply) => reply !== undefined && /^[:$]/.test(reply), () => false);
      await last(Math.max(10, EVERY_MS - (performance.now() - message.at)));
    }
  }

  async #publish(source: Source, n: number): Promise<string> {
    const { [source]: port } = await this.#bus.ports();
    const envelope = JSON.stringify({ recipients: ["demo"], source, n });
    return source === "stream"
      ? await tellRedis(port, "XADD", "my_stream", "*", "message", envelope)
      : await tellRedis(port, "PUBLISH", "my_channel", envelope);
  }
}

/** What `promise` resolves with, or undefined after `ms` milliseconds. */
export async function withDeadline<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  promise.catch(() => {}); // it may fail when nothing waits for it any more
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
