/** The real gateway on a real Redis that the clients are driven against. */
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { Proxy } from "../support/proxy.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { freePort } from "../support/wait.ts";

const TOKEN = "the-token-of-the-clients-of-the-tests";

/** A gateway that is killed, drained and started again on one port, and its Redis. */
export class Backend implements AsyncDisposable {
  readonly port = freePort();
  readonly url = `http://127.0.0.1:${this.port}`;
  readonly #redis: RedisServer;
  readonly #proxy: Proxy;
  readonly #keys: readonly string[];
  #gateway: KeywireProcess | undefined;

  private constructor(redis: RedisServer, keys: readonly string[]) {
    this.#redis = redis;
    this.#proxy = new Proxy(redis.port);
    this.#keys = keys;
  }

  /** Starts Redis; `keys` may connect, each as a recipient of its own. */
  static async open(keys: readonly string[]): Promise<Backend> {
    return new Backend(await startRedis(), keys);
  }

  /** Starts a gateway; with `ready: false` as soon as it answers, whatever it says. */
  async start({ ready = true }: { readonly ready?: boolean } = {}): Promise<void> {
    this.#gateway = await startKeywire({
      PORT: `${this.port}`,
      REDIS_URL: `redis://127.0.0.1:${this.#proxy.port}`,
      REDIS_CHANNEL: "", // what is published while no node is there cannot be kept
      EMBEDDED_KEYS: this.#keys.join(","),
      API_TOKEN: TOKEN,
    }, { ready });
  }

  /** Ends the gateway as a crash does. */
  async kill(): Promise<void> {
    await this.#gateway?.[Symbol.asyncDispose]();
    this.#gateway = undefined;
  }

  /** Tells the gateway to stop, and waits until it has. */
  async drain(): Promise<void> {
    this.#gateway?.kill("SIGTERM");
    await this.#gateway?.ended;
    await this.kill();
  }

  /** Takes Redis away from the gateway, or gives it back. */
  cutRedis(): void {
    this.#proxy.refuse();
  }

  /** Gives Redis back. */
  giveRedis(): void {
    this.#proxy.accept();
  }

  /** Appends an envelope for all to the stream, gateway or not. */
  async append(message: string): Promise<void> {
    const envelope = `{"recipients":"*",${message.slice(1)}`;
    const reply = await this.#redis.tell("XADD", "my_stream", "*", "message", envelope);
    if (!/^\$\d+\r\n\d+-\d+/.test(reply)) throw new Error(`Cannot append: ${reply}`);
  }

  /** Publishes an envelope for all through the API, however large. */
  async publish(message: string): Promise<void> {
    await this.#post("publish", `{"recipients":"*",${message.slice(1)}`);
  }

  /** Disconnects all of `recipients`, as a backend does that withdraws their keys. */
  async disconnect(recipients: readonly string[]): Promise<void> {
    await this.#post("disconnect", JSON.stringify({ recipients }));
  }

  /** Those of `recipients` that are connected now. */
  async online(recipients: readonly string[]): Promise<Set<string>> {
    const answer = await this.#post("presence", JSON.stringify({ recipients }));
    return new Set(recipients.filter((recipient) => answer[recipient]?.online));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await this.#proxy[Symbol.asyncDispose]();
    await this.#redis[Symbol.asyncDispose]();
  }

  async #post(name: string, body: string): Promise<Record<string, { online?: boolean }>> {
    const response = await fetch(`${this.url}/api/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${TOKEN}` },
      body,
    });
    if (!response.ok) throw new Error(`${name}: ${response.status} ${await response.text()}`);
    return await response.json();
  }
}
