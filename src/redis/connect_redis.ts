import type { Readable } from "node:stream";
import { Cluster, Redis, type RedisOptions } from "ioredis";
import type { RedisAddress } from "../core/redis_url.ts";

export { parseRedisUrl, type RedisAddress, whereIs } from "../core/redis_url.ts";

/** What a connection is for; one that blocks or subscribes can do nothing else. */
export type RedisRole = "commands" | "reader" | "subscriber" | "presence";

/** What Keywire uses of an ioredis client, be it of one server or of a Cluster. */
export interface RedisClient {
  /** Sends one command; lists come back as RESP2 has them, whatever the server speaks. */
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  /** As `call`, but texts come back as bytes. */
  callBuffer(command: string, ...args: (string | number)[]): Promise<unknown>;
  /** Closes the connection at once; `end` follows. */
  disconnect(): void;
  on(event: "ready" | "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** A client that subscribes, and what its connection brings. */
export interface RedisSubscriber extends RedisClient {
  readonly stream: Readable;
}

/** A client that sends many commands at once, to one server. */
export interface RedisPipelineClient extends RedisSubscriber {
  /** Sends `commands` in one write; replies come in their order. */
  pipeline(commands: (readonly (string | number)[])[]): {
    exec(): Promise<[Error | null, unknown][] | null>;
  };
}

const CONNECT_TIMEOUT_MS = 2_000;
const COMMAND_DEADLINE_MS = 2_000;
/** Longer than the reader blocks (redis_stream.ts), so that only a dead connection passes it. */
const READER_DEADLINE_MS = 4_000;

/**
 * Opens one connection. It lives once: ioredis neither connects again by itself, nor sends a command
 * twice, nor subscribes anew by itself; its owner sees `end` and opens the next one.
 */
export function connectRedis(address: RedisAddress, role: RedisRole): RedisClient {
  const { kind, hosts, tls } = address;
  if (kind !== "cluster") return connectServer(address, role);
  return new Cluster([...hosts], {
    redisOptions: redisOptions(address, role),
    clusterRetryStrategy: () => null,
    // A command whose connection closed may have been done: only its sender may send it again.
    retryDelayOnFailover: 0,
    // The names in certificates are of hosts, and a look-up would make addresses of them.
    ...(tls ? { dnsLookup: (host, callback) => callback(null, host) } : {}),
  });
}

/**
 * Opens a subscriber. On a Cluster that is a plain connection to any one of its nodes, since ioredis
 * would move a subscription to another node by itself, and the loss in between would go unnoticed.
 *
 * @param commands the connection for commands, which knows the nodes that there are by now
 */
export function connectSubscriber(
  address: RedisAddress,
  commands: RedisClient | undefined,
  random: () => number,
): RedisSubscriber {
  if (address.kind !== "cluster") return connectServer(address, "subscriber");
  const known = commands instanceof Cluster
    ? commands.nodes().flatMap(({ options: { host, port } }) => host && port ? { host, port } : [])
    : [];
  const nodes = known.length > 0 ? known : address.hosts;
  const node = nodes[Math.floor(random() * nodes.length)] ?? nodes[0];
  return new Redis({ ...redisOptions(address, "subscriber"), ...node });
}

/**
 * Opens a connection for many commands at once, to the one server, to the master behind Sentinels,
 * or to `server`, a node of the Cluster.
 */
export function connectMaster(
  address: RedisAddress,
  server?: { readonly host: string; readonly port: number },
): RedisPipelineClient {
  const client = server === undefined
    ? connectServer(address, "presence")
    : new Redis({ ...redisOptions(address, "presence"), ...server });
  return client as unknown as RedisPipelineClient;
}

/** Opens a connection to the one server, or to the master. */
function connectServer(address: RedisAddress, role: RedisRole): Redis {
  const options = redisOptions(address, role);
  const { kind, hosts, tls, master, sentinel: { username, password } } = address;
  if (kind === "single") return new Redis({ ...options, ...hosts[0] });
  return new Redis({
    ...options,
    sentinels: [...hosts],
    name: master,
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: COMMAND_DEADLINE_MS,
    ...(tls ? { enableTLSForSentinelMode: true, sentinelTLS: {} } : {}),
  });
}

function redisOptions(
  { tls, username, password, db }: RedisAddress,
  role: RedisRole,
): RedisOptions & { replyMapping: "legacy" } {
  return {
    username,
    password,
    db,
    connectionName: `keywire-${role}`,
    disableClientInfo: true,
    // One shape of replies, with old servers too.
    protocol: 2,
    replyMapping: "legacy",
    retryStrategy: null,
    enableOfflineQueue: false,
    // A master that was demoted by a failover: the next connection finds the new one. Of the
    // commands' connection the bus knows it by itself (redis_write_check.ts).
    reconnectOnError: (error) => role !== "commands" && error.message.startsWith("READONLY"),
    // It would ask by INFO, wait up to 10 s while Redis loads its data, and print to the console
    // where the ACL does not permit it. Who uses the connection meets LOADING, and says so.
    enableReadyCheck: false,
    commandTimeout: role === "reader" ? READER_DEADLINE_MS : COMMAND_DEADLINE_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // A connection that is given up need not be closed politely.
    disconnectTimeout: 100,
    ...(tls ? { tls: {} } : {}),
  };
}
