/** What went wrong with Redis, in words that hold no host, no user and nothing of what was sent. */
export interface RedisFault {
  /** What Redis or the system calls it: `OOM`, `ECONNREFUSED`; `TIMEOUT` and `CLOSED` are ours. */
  readonly code: string;
  /** The code and what it means, in one line. */
  readonly reason: string;
  /** Of a command: whether it was certainly not done, or may have been. */
  readonly outcome: "refused" | "unknown";
}

/** The message of the error of a command that was not answered within its deadline. */
export const COMMAND_TIMED_OUT = "Command timed out";

/** What ioredis says of a command that it did not send. */
const NOT_SENT = "Stream isn't writeable";
const NO_SENTINEL = /^All sentinels are unreachable.*?(?:Last error: (.*))?$/s;

const UNTRUSTED = "the certificate of Redis is not trusted: name its CA in DENO_CERT";

/** What the codes mean that operators meet. */
const MEANINGS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the certificate of Redis has expired",
  CLOSED: "the connection was closed",
  BUSY: "Redis is busy with a script",
  CLUSTERDOWN: "the Cluster does not serve all slots",
  DENIED: "Redis is in protected mode: give it a password, or bind it to an address",
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  EAI_AGAIN: "its host cannot be looked up now",
  ECONNREFUSED: "the connection was refused",
  ECONNRESET: "the connection was cut",
  EHOSTUNREACH: "its host cannot be reached",
  ENOTFOUND: "its host is not known",
  EPIPE: "the connection was cut",
  ERR_TLS_CERT_ALTNAME_INVALID: "the certificate of Redis names another host",
  ETIMEDOUT: "the connection was not answered",
  LOADING: "Redis is loading its data",
  MASTERDOWN: "this replica has lost its master",
  MISCONF: "Redis cannot write to its disk",
  MOVED: "the key is on another node of a Cluster, whose REDIS_URL begins with redis+cluster://",
  NOAUTH: "Redis wants a password",
  NOPERM: "the ACL of this user does not permit it",
  NOREPLICAS: "too few replicas are connected to Redis",
  OOM: "Redis is out of memory",
  READONLY: "this Redis is a replica",
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  TIMEOUT: "no answer in time",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  WRONGPASS: "Redis does not know this user and password",
  WRONGTYPE: "the name holds something of another type",
};

/** What replies mean that have no code but ERR, by how they begin; the first that fits counts. */
const WORDS: readonly (readonly [beginning: RegExp, meaning: string])[] = [
  [/^ERR unknown command ['`]?([\w|-]{1,32})/i, "Redis does not know the command $1"],
  [/unknown redis command called from script/i, "Redis does not know what a script calls"],
  [/^ERR unknown subcommand/i, "Redis does not know a subcommand, as an old one may not"],
  [/^ERR max number of clients/, "Redis has reached its maxclients"],
  [/^ERR DB index is out of range/, "REDIS_URL names a database that Redis does not have"],
  [/^ERR SELECT is not allowed in cluster/, "a Cluster has the database 0 alone"],
  [/^ERR This instance has cluster support disabled/, "this Redis is no Cluster"],
  [
    /^ERR (?:AUTH <password> called without|Client sent AUTH, but no password)/,
    "REDIS_URL has a password, and Redis has none",
  ],
];

/** The codes that metrics tell apart. */
export const KNOWN_CODES: readonly string[] = [...Object.keys(MEANINGS), "SENTINEL", "ERR"];

/** Reads an error of the driver. Its own message is not passed on: it may quote what was sent. */
export function redisFault(error: unknown): RedisFault {
  const { name, message, code } = error as Error & { code?: unknown };
  const sentinel = NO_SENTINEL.exec(message);
  if (sentinel !== null) return { ...behindSentinel(sentinel[1]), outcome: "refused" };
  if (name === "ReplyError") {
    const code = codeOfReply(message);
    return fault(code, "refused", code === "ERR" ? meaningOf(message) : undefined);
  }
  if (message.startsWith(NOT_SENT)) return fault("CLOSED", "refused");
  if (message === COMMAND_TIMED_OUT || message.startsWith("connect ETIMEDOUT")) {
    return fault(message === COMMAND_TIMED_OUT ? "TIMEOUT" : "ETIMEDOUT", "unknown");
  }
  return fault(typeof code === "string" ? code : codeOf(message) ?? "CLOSED", "unknown");
}

function fault(
  code: string,
  outcome: RedisFault["outcome"],
  meaning: string | undefined = MEANINGS[code],
): RedisFault {
  return { code, outcome, reason: meaning === undefined ? code : `${code}: ${meaning}` };
}

function behindSentinel(message: string | undefined): Omit<RedisFault, "outcome"> {
  if (message === undefined) return { code: "SENTINEL", reason: "SENTINEL: none knows the master" };
  const { code, reason } = redisFault(new Error(message));
  return { code, reason: `SENTINEL: none answers (${reason})` };
}

/** The code of an error reply. Of what a script met, some versions tell it in the middle, or in words. */
function codeOfReply(message: string): string {
  if (message.includes("user executing the script can't")) return "NOPERM";
  const [, inScript] = /^ERR Error running script.*?: -([A-Z]{3,})\b/s.exec(message) ?? [];
  return inScript ?? codeOf(message) ?? "ERR";
}

/** Of a reply without a code no more is passed on than what is known to quote nothing that was sent. */
function meaningOf(message: string): string | undefined {
  for (const [beginning, meaning] of WORDS) {
    const match = beginning.exec(message);
    if (match !== null) return meaning.replace("$1", (match[1] ?? "").toUpperCase());
  }
}

/** The first word of a message where that is a code. */
function codeOf(message: string): string | undefined {
  return /^(?:connect |read |write |getaddrinfo )?([A-Z][A-Z_]{2,})\b/.exec(message)?.[1];
}
