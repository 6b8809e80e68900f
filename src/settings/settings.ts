import { controlChannel } from "../core/control_channel.ts";
import { type Cidr, contains, parseAddress, parseCidr } from "../core/ip_address.ts";
import { Environment, InvalidSetting } from "./environment.ts";
import { type OtelSettings, readOtelSettings } from "./otel_settings.ts";
import { SETTING_RULES as RULES } from "./setting_rules.ts";

export { InvalidSetting };

/** All settings, validated and typed. The one place that knows their names. */
export interface Settings extends OtelSettings {
  readonly host: string;
  readonly port: number;
  /** Absent: the bus is embedded. The URL holds a password; it is never shown. */
  readonly redisUrl: string | undefined;
  /** What the Sentinels themselves want; never shown. */
  readonly redisSentinelUsername: string | undefined;
  readonly redisSentinelPassword: string | undefined;
  /** Undefined: Pub/Sub is off. */
  readonly redisChannel: string | undefined;
  /** Undefined: the stream is off. */
  readonly redisStream: string | undefined;
  readonly connectedChannel: string;
  readonly disconnectedChannel: string;
  readonly redisPrefix: string;
  /** Absent: the key store is embedded. */
  readonly mongodbUrl: string | undefined;
  readonly mongodbDatabase: string;
  readonly mongodbCollection: string;
  readonly mongodbTimeoutMs: number;
  readonly mongodbKeyField: string;
  readonly mongodbRecipientField: string;
  /** Extended JSON text of an object, checked to be one; the store's driver parses it. */
  readonly mongodbFilter: string | undefined;
  readonly mongodbExpiresField: string | undefined;
  readonly embeddedKeys: readonly string[];
  readonly demo: boolean;
  readonly apiTokens: readonly string[];
  readonly internalPort: number | undefined;
  /** Whether other processes of this machine listen on the same port. */
  readonly reusePort: boolean;
  /** How many descriptors the process may hold; undefined: unknown. */
  readonly nofile: number | undefined;
  /** `"*"` or a list of exact origins. */
  readonly allowedOrigins: "*" | readonly string[];
  readonly trustedProxies: readonly Cidr[];
  readonly maxConnections: number;
  readonly maxConnectionsPerKey: number;
  /** 0: no limit. */
  readonly maxConnectionsPerIp: number;
  readonly maxMessageBytes: number;
  readonly maxBufferedBytes: number;
  readonly historySeconds: number;
  readonly historyBytes: number;
  readonly revalidateSeconds: number;
  readonly presenceGraceSeconds: number;
  readonly drainSeconds: number;
  /** Whether a node that has more than its share sends clients to the others. */
  readonly rebalance: boolean;
  readonly logLevel: "debug" | "info" | "warning" | "error";
  /** Undefined: text on a terminal, else json. */
  readonly logFormat: "text" | "json" | undefined;
}

/** The keys of the embedded store: one that is easy to type, and the one of the 2014 example. */
const DEMO_KEYS = ["demo", "00721b2a-046c-4ecc-a5df-5f808cc6c58f"];
const LOOPBACK = [parseCidr("127.0.0.0/8")!, parseCidr("::1")!];
const PORTS = { from: 0, to: 65_535 };
const PLENTY = 2 ** 31 - 1;
const DAY = 86_400;

/** The settings that name a key store; where several are set, the first one counts. */
export const KEY_STORES = {
  mongodbUrl: "MONGODB_URL",
} as const satisfies Partial<Record<keyof Settings, string>>;

/** Their names in a sentence: one, or several with "or" between them. */
export const KEY_STORE_NAMES: string = Object.values(KEY_STORES).join(" or ");

/**
 * Reads the settings.
 * @param get looks a name up in the environment; an empty text counts as set
 * @throws {InvalidSetting}
 */
export function readSettings(get: (name: string) => string | undefined): Settings {
  return readSettingsFrom(new Environment(get));
}

/**
 * As `readSettings`, for those who also want to know the variables: `env` keeps them.
 * @throws {InvalidSetting}
 */
export function readSettingsFrom(env: Environment): Settings {
  const redisUrl = env.text("REDIS_URL", RULES.redisUrl);
  const mongodbUrl = env.text("MONGODB_URL", RULES.mongodbUrl);
  const isSet = (name: string) => env.raw(name) !== undefined;
  const embedded = redisUrl === undefined || !Object.values(KEY_STORES).some(isSet);
  const keyField = env.text("MONGODB_KEY_FIELD", RULES.field) ?? "_id";
  const maxMessage = env.integer("MAX_MESSAGE_BYTES", { default: 2 ** 18, from: 64, to: 2 ** 25 });
  const twice = 2 * maxMessage;
  const settings: Settings = {
    host: env.text("HOST", RULES.host) ?? (embedded ? "127.0.0.1" : "0.0.0.0"),
    port: env.integer("PORT", { default: 8088, ...PORTS }),
    redisUrl,
    redisSentinelUsername: env.text("REDIS_SENTINEL_USERNAME", RULES.sentinelCredential),
    redisSentinelPassword: env.text("REDIS_SENTINEL_PASSWORD", RULES.sentinelCredential),
    redisChannel: nameOrOff(env, "REDIS_CHANNEL", "my_channel"),
    redisStream: nameOrOff(env, "REDIS_STREAM", "my_stream"),
    connectedChannel: env.text("CONNECTED_CHANNEL", RULES.name) ?? "connected",
    disconnectedChannel: env.text("DISCONNECTED_CHANNEL", RULES.name) ?? "disconnected",
    redisPrefix: env.text("REDIS_PREFIX", RULES.prefix) ?? "keywire",
    mongodbUrl,
    mongodbDatabase: env.text("MONGODB_DATABASE", RULES.database) ?? "myDB",
    mongodbCollection: env.text("MONGODB_COLLECTION", RULES.collection) ?? "myCollection",
    mongodbTimeoutMs: env.integer("MONGODB_TIMEOUT_MS", { default: 2000, from: 10, to: 60_000 }),
    mongodbKeyField: keyField,
    mongodbRecipientField: env.text("MONGODB_RECIPIENT_FIELD", RULES.field) ?? keyField,
    mongodbFilter: env.text("MONGODB_FILTER", RULES.filter),
    mongodbExpiresField: env.text("MONGODB_EXPIRES_FIELD", RULES.field),
    embeddedKeys: env.list("EMBEDDED_KEYS", RULES.key) ?? DEMO_KEYS,
    demo: env.oneOf("DEMO", ["0", "1"]) === "1",
    apiTokens: env.list("API_TOKEN", RULES.token) ?? [],
    internalPort: env.optionalInteger("INTERNAL_PORT", PORTS),
    reusePort: env.oneOf("REUSE_PORT", ["0", "1"]) === "1",
    nofile: env.optionalInteger("NOFILE", { from: 1, to: PLENTY }),
    allowedOrigins: origins(env),
    trustedProxies: (env.list("TRUSTED_PROXIES", RULES.proxy) ?? []).map((text) =>
      parseCidr(text)!
    ),
    maxConnections: env.integer("MAX_CONNECTIONS", { default: 100_000, from: 1, to: PLENTY }),
    maxConnectionsPerKey: env.integer("MAX_CONNECTIONS_PER_KEY", {
      default: 100,
      from: 1,
      to: PLENTY,
    }),
    maxConnectionsPerIp: env.integer("MAX_CONNECTIONS_PER_IP", { default: 0, from: 0, to: PLENTY }),
    maxMessageBytes: maxMessage,
    maxBufferedBytes: env.integer("MAX_BUFFERED_BYTES", {
      default: Math.max(2 ** 20, twice),
      from: twice,
      to: 2 ** 30,
      because: ", twice MAX_MESSAGE_BYTES or more",
    }),
    historySeconds: env.integer("HISTORY_SECONDS", { default: 300, from: 0, to: DAY }),
    historyBytes: env.integer("HISTORY_BYTES", { default: 2 ** 26, from: 0, to: 2 ** 34 }),
    revalidateSeconds: env.integer("REVALIDATE_SECONDS", { default: 30, from: 1, to: DAY }),
    presenceGraceSeconds: env.integer("PRESENCE_GRACE_SECONDS", { default: 0, from: 0, to: 3600 }),
    drainSeconds: env.integer("DRAIN_SECONDS", { default: 4, from: 0, to: 600 }),
    rebalance: env.oneOf("REBALANCE", ["0", "1"]) === "1",
    logLevel: env.oneOf("LOG_LEVEL", ["debug", "info", "warning", "error"]) ?? "info",
    logFormat: env.oneOf("LOG_FORMAT", ["text", "json"]),
    ...readOtelSettings(env),
  };
  checkSources(settings);
  checkPorts(settings);
  if (settings.reusePort) checkReusePort(settings);
  checkExposure(settings);
  return settings;
}

/** A name in Redis; an empty text turns its way in off. */
function nameOrOff(env: Environment, name: string, defaultName: string): string | undefined {
  if (env.raw(name) === "") return undefined;
  return env.text(name, RULES.name) ?? defaultName;
}

function origins(env: Environment): "*" | readonly string[] {
  return env.raw("ALLOWED_ORIGINS") === "*"
    ? "*"
    : env.list("ALLOWED_ORIGINS", RULES.origin) ?? "*";
}

function checkSources(settings: Settings): void {
  const { redisChannel, redisStream, connectedChannel, disconnectedChannel, redisPrefix } =
    settings;
  if (redisChannel === undefined && redisStream === undefined) {
    throw new InvalidSetting(
      "REDIS_CHANNEL and REDIS_STREAM are both empty but one must have a name: no message could come",
    );
  }
  const channels = [redisChannel, connectedChannel, disconnectedChannel];
  if (new Set(channels).size < channels.length) {
    throw new InvalidSetting(
      "REDIS_CHANNEL, CONNECTED_CHANNEL and DISCONNECTED_CHANNEL must be three different names",
    );
  }
  const control = controlChannel(redisPrefix);
  const at = channels.indexOf(control);
  if (at >= 0) {
    const name = ["REDIS_CHANNEL", "CONNECTED_CHANNEL", "DISCONNECTED_CHANNEL"][at];
    throw new InvalidSetting(
      `${name} is "${control}" but must be another name: there the nodes speak with each other`,
    );
  }
}

function checkPorts({ port, internalPort }: Settings): void {
  if (internalPort !== undefined && internalPort !== 0 && internalPort === port) {
    throw new InvalidSetting(`INTERNAL_PORT is ${internalPort} but must be another port than PORT`);
  }
}

/** Processes that share a port need what tells them apart, and a Redis that all of them hear. */
function checkReusePort({ port, internalPort, redisUrl }: Settings): void {
  const fault = port === 0
    ? "PORT must not be 0: the processes share one port"
    : internalPort === undefined
    ? "INTERNAL_PORT must be set, to another port for each process: there it is scraped"
    : redisUrl === undefined
    ? "REDIS_URL must be set: a message would reach the clients of one process alone"
    : undefined;
  if (fault !== undefined) throw new InvalidSetting(`REUSE_PORT is 1, so ${fault}`);
}

/** The demo keys, or a bus that ends at this process, do not run in production by accident. */
function checkExposure(settings: Settings): void {
  const { host, redisUrl, demo } = settings;
  if (demo || isLoopback(host)) return;
  const missing = [];
  if (redisUrl === undefined) missing.push("REDIS_URL");
  if (isKeyStoreEmbedded(settings)) missing.push(KEY_STORE_NAMES);
  if (missing.length === 0) return;
  throw new InvalidSetting(
    `HOST is "${host}", which is not loopback, so ${missing.join(" and ")} must be set ` +
      "(or DEMO=1, to show the embedded parts to everyone who reaches them)",
  );
}

/** The name of the setting that says which key store serves; undefined where it is the embedded one. */
export function keyStoreSetting(settings: Settings): string | undefined {
  return Object.entries(KEY_STORES)
    .find(([field]) => settings[field as keyof typeof KEY_STORES] !== undefined)?.[1];
}

/** Whether no setting names a key store, so that the embedded one serves, with keys that all know. */
export function isKeyStoreEmbedded(settings: Settings): boolean {
  return keyStoreSetting(settings) === undefined;
}

/** Whether only this machine reaches `host`. */
export function isLoopback(host: string): boolean {
  const address = parseAddress(host);
  if (address === undefined) return host.toLowerCase() === "localhost";
  return LOOPBACK.some((block) => contains(block, address));
}
