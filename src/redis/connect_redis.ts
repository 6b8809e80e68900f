import type { Readable } from "node:stream";
import { Cluster, Redis, type RedisOptions } from "ioredis";

/** Where Redis is, read out of a `REDIS_URL`. It holds the password: never log it as a whole. */
export interface RedisAddress {
  /** A single server, a master behind Sentinels, or a Cluster. */
  readonly kind: "single" | "sentinel" | "cluster";
  /** The server, the Sentinels, or some nodes of the Cluster. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** The number of the database. */
  readonly db: number;
  /** The name under which the Sentinels know the master; empty without Sentinels. */
  readonly master: string;
}

/** What a connection is for; one that blocks or subscribes can do nothing else. */
export type RedisRole = "commands" | "reader" | "subscriber";

/** What Keywire uses of an ioredis client, be it of one server or of a Cluster. */
export interface RedisClient {
  /** Sends one command; lists come back as RESP2 has them, whatever the server speaks. */
  call(command: string, ...args: (string | number)[]): Promise<unknown>;
  /** Closes the connection at once; `end` follows. */
  disconnect(): void;
  on(event: "ready" | "end", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** A client that subscribes, and what its connection brings. */
export interface RedisSubscriber extends RedisClient {
  readonly stream: Readable;
}

/** The message of the error of a command that was not answered within its deadline. */
export const COMMAND_TIMED_OUT = "Command timed out";

const CONNECT_TIMEOUT_MS = 2_000;
const COMMAND_DEADLINE_MS = 2_000;
/** Longer than the reader blocks (redis_stream.ts), so that only a dead connection passes it. */
const READER_DEADLINE_MS = 4_000;

/**
 * Reads a Redis URL: `redis://user:password@host:6379/0`, with Sentinels
 * `redis+sentinel://host:26379,host:26379/mymaster/0`, with a Cluster
 * `redis+cluster://host:6379,host:6379`; with TLS each begins with `rediss`. User and password are
 * percent-encoded, and are those of Redis itself.
 *
 * @throws {TypeError} whose message says what is wrong and shows nothing of the URL
 */
export function parseRedisUrl(url: string): RedisAddress {
  const parts = /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:(.*)@)?([^@/?#]+)(?:\/([^?#]*))?$/
    .exec(url);
  if (!parts) throw new TypeError("Cannot read the Redis URL: it must be like redis://host:6379");
  const [, secure, kind = "single", user, hosts = "", path = ""] = parts;
  const [username, ...password] = user?.split(":").map(decode) ?? [];
  const names = path.split("/");
  const master = kind === "sentinel" ? decode(names.shift() ?? "") : "";
  if (kind === "sentinel" && master === "") {
    throw new TypeError(
      "Cannot read the Redis URL: the name of the master must follow the Sentinels",
    );
  }
  const db = names.shift() || "0";
  if (!/^\d{1,9}$/.test(db) || names.length > 0 || (kind === "cluster" && db !== "0")) {
    throw new TypeError("Cannot read the Redis URL: its path must be a database's number");
  }
  const list = hosts.split(",");
  if (kind === "single" && list.length > 1) {
    throw new TypeError("Cannot read the Redis URL: several hosts need +sentinel or +cluster");
  }
  return {
    kind: kind as RedisAddress["kind"],
    hosts: list.map((host) => parseHost(host, kind === "sentinel" ? 26379 : 6379)),
    tls: secure === "s",
    username: username || undefined,
    password: password.join(":") || undefined,
    db: Number(db),
    master,
  };
}

/** Where Redis is, for people: hosts and ports, no credentials. */
export function whereIs(address: RedisAddress): string {
  return address.hosts.map(({ host, port }) => `${host}:${port}`).join(",");
}

/**
 * Opens one connection. It lives once: ioredis neither connects again by itself, nor sends a command
 * twice, nor subscribes anew without a word; whoever opened it sees `end` and opens the next.
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
 * would move a subscription to another node in silence, and what was lost meanwhile with it.
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

/** Opens a connection to the one server, or to the master. */
function connectServer(address: RedisAddress, role: RedisRole): Redis {
  const options = redisOptions(address, role);
  const { kind, hosts, tls, master } = address;
  if (kind === "single") return new Redis({ ...options, ...hosts[0] });
  return new Redis({
    ...options,
    sentinels: [...hosts],
    name: master,
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
    // A master that was demoted by a failover: the next connection finds the new one.
    reconnectOnError: (error) => error.message.startsWith("READONLY"),
    commandTimeout: role === "reader" ? READER_DEADLINE_MS : COMMAND_DEADLINE_MS,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // A connection that is given up has nothing left to say.
    disconnectTimeout: 100,
    ...(tls ? { tls: {} } : {}),
  };
}

function parseHost(text: string, defaultPort: number): { host: string; port: number } {
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(text);
  const port = Number(parts?.[3] ?? defaultPort);
  if (!parts || port < 1 || port > 65_535) {
    throw new TypeError("Cannot read the Redis URL: a host must be like name:6379 or [::1]:6379");
  }
  return { host: (parts[1] ?? parts[2])!, port };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError("Cannot read the Redis URL: a % must begin a percent-encoding");
  }
}
