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
  /** What the Sentinels themselves want, where they want any. */
  readonly sentinel: SentinelCredentials;
}

/** The user and the password of the Sentinels, which are not those of Redis. */
export interface SentinelCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

const URL_PARTS =
  /^redis(s?)(?:\+(sentinel|cluster))?:\/\/(?:(.*)@)?([^@/?#]+)(?:\/([^?#]*))?([?#].*)?$/i;

/**
 * Reads a Redis URL: `redis://user:password@host:6379/0`, with Sentinels
 * `redis+sentinel://host:26379,host:26379/mymaster/0`, with a Cluster
 * `redis+cluster://host:6379,host:6379`; with TLS each begins with `rediss`. User and password are
 * percent-encoded, and are those of Redis itself.
 *
 * @throws {TypeError} whose message says what is wrong and shows nothing of the URL
 */
export function parseRedisUrl(url: string, sentinel: SentinelCredentials = {}): RedisAddress {
  const parts = URL_PARTS.exec(url);
  if (!parts) throw unreadable("it must be like redis://host:6379");
  const [, secure, scheme = "single", user, hosts = "", path = "", more] = parts;
  if (more !== undefined) throw unreadable("nothing may follow its path, such as ?family=0");
  const kind = scheme.toLowerCase() as RedisAddress["kind"];
  const [username, ...password] = user?.split(":").map(decode) ?? [];
  const names = path.split("/");
  const master = kind === "sentinel" ? decode(names.shift() ?? "") : "";
  if (kind === "sentinel" && master === "") {
    throw unreadable("the name of the master must follow the Sentinels");
  }
  const db = names.shift() || "0";
  if (!/^\d{1,9}$/.test(db) || names.length > 0 || (kind === "cluster" && db !== "0")) {
    throw unreadable("its path must be a database's number");
  }
  const list = hosts.split(",");
  if (kind === "single" && list.length > 1) {
    throw unreadable("several hosts need +sentinel or +cluster");
  }
  return {
    kind,
    hosts: list.map((host) => parseHost(host, kind === "sentinel" ? 26379 : 6379)),
    tls: secure !== "",
    username: username || undefined,
    password: password.join(":") || undefined,
    db: Number(db),
    master,
    sentinel,
  };
}

/** Where Redis is, for people: hosts and ports, no credentials. */
export function whereIs(address: RedisAddress): string {
  return address.hosts.map(({ host, port }) => `${host}:${port}`).join(",");
}

function parseHost(text: string, defaultPort: number): { host: string; port: number } {
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text);
  const port = Number(parts?.[3] ?? defaultPort);
  if (!parts || port < 1 || port > 65_535) {
    throw unreadable("a host must be like name:6379 or [::1]:6379");
  }
  return { host: (parts[1] ?? parts[2])!, port };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw unreadable("a % must begin a percent-encoding");
  }
}

function unreadable(why: string): TypeError {
  return new TypeError(`Cannot read the Redis URL: ${why}`);
}
