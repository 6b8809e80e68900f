import { Redis } from "ioredis";
import type { RedisAddress } from "../core/redis_url.ts";

/** What Sentinels publish when a master was replaced: its name, the old host and port, the new. */
const SWITCHED = "+switch-master";
const CONNECT_TIMEOUT_MS = 2_000;
const KEEP_ALIVE_MS = 10_000;
const LONGEST_WAIT_MS = 5_000;

/**
 * Listens to Sentinels, which announce that a master was replaced. In a planned failover the old one
 * goes on answering for ten seconds, so that nothing else tells. All of them announce it, and one
 * that announces it first knows the new master first: it is the one to ask.
 *
 * ioredis's own detector does not look whose master was replaced, asks each Sentinel thrice, and
 * prints what its connections meet to the console.
 */
export class SentinelWatch implements Disposable {
  readonly #address: RedisAddress;
  readonly #onFailover: () => void;
  #hosts: RedisAddress["hosts"];
  #clients: readonly Redis[] = [];
  /** The master that was announced last. */
  #announced: string | undefined;

  /** @param onFailover called once when the master was replaced, however many Sentinels announce it */
  constructor(address: RedisAddress, onFailover: () => void) {
    this.#address = address;
    this.#onFailover = onFailover;
    this.#hosts = address.hosts;
  }

  /** The address, with the Sentinel first that announced the last failover. */
  get address(): RedisAddress {
    return { ...this.#address, hosts: this.#hosts };
  }

  /** Listens, and goes on doing so; without Sentinels there is nothing to listen to. */
  start(): void {
    const { kind, hosts } = this.#address;
    if (kind === "sentinel") this.#clients = hosts.map((host) => this.#listen(host));
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients) client.disconnect();
    this.#clients = [];
  }

  #listen(host: RedisAddress["hosts"][number]): Redis {
    const { tls, sentinel: { username, password } } = this.#address;
    const client = new Redis({
      ...host,
      ...username === undefined ? {} : { username },
      ...password === undefined ? {} : { password },
      ...tls ? { tls: {} } : {},
      connectionName: "keywire-sentinel",
      disableClientInfo: true,
      protocol: 2,
      replyMapping: "legacy",
      enableReadyCheck: false,
      maxRetriesPerRequest: null,
      connectTimeout: CONNECT_TIMEOUT_MS,
      disconnectTimeout: 100,
      keepAlive: KEEP_ALIVE_MS,
      retryStrategy: (attempts) => Math.min(LONGEST_WAIT_MS, attempts * 200),
    });
    // A Sentinel that is away is no fault: others announce the same, and it is connected to again.
    client.on("error", () => {});
    client.on("message", (_channel: string, text: string) => this.#hear(host, text));
    client.subscribe(SWITCHED).catch(() => {}); // It was disconnected before it could.
    return client;
  }

  #hear(from: RedisAddress["hosts"][number], text: string): void {
    const [master, , , host, port] = text.split(" ");
    const announced = `${host}:${port}`;
    if (master !== this.#address.master || announced === this.#announced) return;
    this.#announced = announced;
    this.#hosts = [from, ...this.#address.hosts.filter((each) => each !== from)];
    this.#onFailover();
  }
}
