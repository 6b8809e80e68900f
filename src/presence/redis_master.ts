import {
  connectMaster,
  type RedisAddress,
  type RedisPipelineClient,
} from "../redis/connect_redis.ts";
import { RedisConnection } from "../redis/redis_connection.ts";
import { redisFault } from "../redis/redis_fault.ts";
import { SCRIPTS } from "./redis_scripts.ts";
import { type Command, type ShardLink, ShardLost } from "./shard.ts";

/** What a {@link RedisMaster} needs. */
export interface RedisMasterOptions {
  /** Where Redis is, asked for each connection. */
  readonly address: () => RedisAddress;
  /** The node of the Cluster; undefined: the one server, or the master behind Sentinels. */
  readonly server?: { readonly host: string; readonly port: number };
  /** Called when commands may be sent, to the process `runId`. */
  readonly up: (runId: string) => void;
  /** Called when the connection, or an attempt at one, is over, with a reason without secrets. */
  readonly down: (reason: string) => void;
  /** Called when a key is another master's. */
  readonly moved?: () => void;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** One connection to one master, on which the scripts are loaded before anything else is sent. */
export class RedisMaster implements ShardLink, AsyncDisposable {
  readonly #options: RedisMasterOptions;
  readonly #connection: RedisConnection<RedisPipelineClient>;
  /** The SHA-1 of each script. */
  readonly #hashes = new Map<string, string>();
  #client: RedisPipelineClient | undefined;
  #runId = "";
  /** The number that the server gave the last connection. */
  #clientId = "";

  constructor(options: RedisMasterOptions) {
    this.#options = options;
    const { address, server, random } = options;
    this.#connection = new RedisConnection({
      open: () => connectMaster(address(), server),
      up: (client) => void this.#greet(client),
      down: (reason) => {
        this.#client = undefined;
        options.down(reason);
      },
      random,
    });
    this.#connection.start();
  }

  /** The address of this end of the connection, where there is one. */
  get localAddress(): string | undefined {
    return (this.#client?.stream as { localAddress?: string } | undefined)?.localAddress;
  }

  /** Builds the connection anew: it leads to another server than it should. */
  reset(reason: string): void {
    this.#connection.reset(reason);
  }

  async send(commands: readonly Command[]): Promise<readonly unknown[]> {
    const client = this.#client;
    if (client === undefined) throw new ShardLost("No connection");
    return await this.#exec(client, commands.map((command) => this.#encode(command)));
  }

  /** Sends a command without a key. */
  async ask(...command: string[]): Promise<unknown> {
    const client = this.#client;
    if (client === undefined) throw new ShardLost("No connection");
    return (await this.#exec(client, [command]))[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client = undefined;
    await this.#connection[Symbol.asyncDispose]();
  }

  async #greet(client: RedisPipelineClient): Promise<void> {
    try {
      const names = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[];
      const replies = await this.#exec(client, [
        ["INFO", "server"],
        ["CLIENT", "ID"],
        ...names.map((name) => ["SCRIPT", "LOAD", SCRIPTS[name]]),
      ]);
      const error = replies.find((reply): reply is Error => reply instanceof Error);
      if (error !== undefined) throw error;
      const [info, clientId, ...hashes] = replies.map(String);
      names.forEach((name, at) => this.#hashes.set(name, hashes[at]!));
      const runId = /^run_id:(\w+)/m.exec(info!)?.[1] ?? "";
      const formerId = this.#runId === runId ? this.#clientId : "";
      // What the former connection sent would else be done after what this one sends.
      if (formerId !== "") await this.#exec(client, [["CLIENT", "KILL", "ID", formerId]]);
      if (client !== this.#connection.client) return;
      this.#runId = runId;
      this.#clientId = clientId!;
      this.#client = client;
      this.#connection.resetBackoff();
      this.#options.up(runId);
    } catch (error) {
      if (client === this.#connection.client) this.#connection.reset((error as Error).message);
    }
  }

  #encode([name, key, ...args]: Command): (string | number)[] {
    const hash = this.#hashes.get(name);
    return hash === undefined ? [name, key, ...args] : ["EVALSHA", hash, 1, key, ...args];
  }

  async #exec(
    client: RedisPipelineClient,
    commands: readonly (readonly (string | number)[])[],
  ): Promise<unknown[]> {
    // "call" leaves the replies as the server sends them.
    const results = await client.pipeline(commands.map((command) => ["call", ...command])).exec()
      .catch((error: Error) => [[error, undefined] as [Error, unknown]]);
    return (results ?? []).map(([error, reply]) => {
      if (error === null) return reply;
      const { code, reason } = redisFault(error);
      if (error.name !== "ReplyError" || code === "NOSCRIPT") return this.#lose(client, reason);
      if (code === "MOVED" || code === "ASK") this.#options.moved?.();
      return new Error(reason);
    });
  }

  #lose(client: RedisPipelineClient, reason: string): never {
    if (client === this.#connection.client) this.#connection.reset(reason);
    throw new ShardLost(reason);
  }
}
