import { Redis } from "ioredis";
import type { Change, Part, State } from "./page_state.ts";

/** Where the backend's servers are. */
export interface StateBackendOptions {
  readonly redisUrl: string;
  /** The gateway, and its `API_TOKEN`. */
  readonly url: string;
  readonly token: string;
}

const EVERYONE = "everyone";

/**
 * A backend as in the recipe: it writes its database, and then tells of the change with XADD; it
 * renders a page by asking for the cursor first, and for the state then. Its database is a Redis, too.
 */
export class StateBackend implements Disposable {
  /** How many changes there were. */
  changes = 0;
  /** How often it asked again for a cursor. */
  askedAgain = 0;
  readonly #options: StateBackendOptions;
  readonly #redis: Redis;
  /** What is in the database, as far as writes were confirmed. */
  readonly #parts = new Map<string, Part>();
  /** Changes of one part come one after the other, as in a transaction. */
  readonly #writing = new Map<string, Promise<void>>();

  private constructor(options: StateBackendOptions, redis: Redis) {
    this.#options = options;
    this.#redis = redis;
  }

  static async open(options: StateBackendOptions): Promise<StateBackend> {
    const redis = new Redis(options.redisUrl);
    await redis.ping();
    return new StateBackend(options, redis);
  }

  /** Changes states of `names`, and now and then everyone's, until `isOver`. */
  async change(
    names: readonly string[],
    { rate, isOver }: { rate: number; isOver: () => boolean },
  ): Promise<void> {
    const start = performance.now();
    while (!isOver()) {
      const due = (performance.now() - start) / 1_000 * rate;
      for (; this.changes < due; this.changes++) {
        const name = this.changes % 10 === 0
          ? EVERYONE
          : names[Math.floor(Math.random() * names.length)]!;
        const before = this.#writing.get(name);
        this.#writing.set(name, (before ?? Promise.resolve()).then(() => this.#change(name)));
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await Promise.all(this.#writing.values());
  }

  /** Renders a page: the cursor first, and then the state. */
  async render(name: string): Promise<{ cursor: string; state: State }> {
    const cursor = await this.#cursor();
    const [own, all] = await Promise.all([this.#read(name), this.#read(EVERYONE)]);
    return { cursor, state: { own, all } };
  }

  /** The state that a page of `name` has to have, as JSON. */
  stateText(name: string): string {
    return JSON.stringify({ own: this.#part(name), all: this.#part(EVERYONE) });
  }

  [Symbol.dispose](): void {
    this.#redis.disconnect();
  }

  async #change(name: string): Promise<void> {
    const add = 1 + Math.floor(Math.random() * 1_000);
    const { version, total } = this.#part(name);
    const next = { version: version + 1, total: total + add };
    await this.#redis.set(`database:${name}`, JSON.stringify(next));
    this.#parts.set(name, next);
    const change: Change = { part: name === EVERYONE ? "all" : "own", version: next.version, add };
    const recipients = name === EVERYONE ? "*" : [name];
    const envelope = JSON.stringify({ recipients, ...change });
    await this.#redis.xadd("my_stream", "MAXLEN", "~", 100_000, "*", "message", envelope);
  }

  #part(name: string): Part {
    return this.#parts.get(name) ?? { version: 0, total: 0 };
  }

  async #read(name: string): Promise<Part> {
    const text = await this.#redis.get(`database:${name}`);
    return text === null ? { version: 0, total: 0 } : JSON.parse(text);
  }

  async #cursor(): Promise<string> {
    const { url, token } = this.#options;
    for (;;) {
      const answer = await fetch(`${url}/api/cursor`, {
        headers: { Authorization: `Bearer ${token}` },
      }).then(async (response) => response.ok ? await response.json() : await response.text())
        .catch(() => undefined);
      if (typeof answer === "object") return answer.cursor;
      this.askedAgain++;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
