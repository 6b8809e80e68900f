import type { RedisServer } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";

/** The time between two messages. */
const EVERY_MS = 150;
/** So many come by themselves; beyond, only those that are waited for, as the page lists 100 at once. */
const ENOUGH = 60;

/** A backend that appends `{"n":0}`, `{"n":1}` and so on for one recipient to the stream. */
export class Serials {
  readonly #redis: RedisServer;
  readonly #recipient: string;
  readonly #running: Promise<void>;
  #next = 0;
  #goal = 0;
  #over = false;

  constructor(redis: RedisServer, recipient: string) {
    this.#redis = redis;
    this.#recipient = recipient;
    this.#running = this.#run();
  }

  /** Resolves when `count` more were appended. */
  async more(count: number): Promise<void> {
    const goal = this.#goal = this.#next + count;
    await waitFor(`${count} more serial numbers`, () => this.#next >= goal, 60_000);
  }

  /** Ends, and returns the last number. */
  async end(): Promise<number> {
    this.#over = true;
    await this.#running;
    return this.#next - 1;
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      if (this.#next < Math.max(ENOUGH, this.#goal)) {
        const envelope = JSON.stringify({ recipients: [this.#recipient], n: this.#next });
        await this.#redis.tell("XADD", "my_stream", "*", "message", envelope);
        this.#next++;
      }
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }
}
