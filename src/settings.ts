/** The environment's say: every setting of Keywire, checked and typed. The one place with their names. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  /** Absent: the bus is embedded. The URL holds a password; it is never shown. */
  readonly redisUrl: string | undefined;
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
  /** `"*"` or a list of exact origins. */
  readonly allowedOrigins: "*" | readonly string[];
  /** Addresses or CIDRs. */
  readonly trustedProxies: readonly string[];
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
  readonly logLevel: "debug" | "info" | "warning" | "error";
  /** Undefined: text on a terminal, else json. */
  readonly logFormat: "text" | "json" | undefined;
}

/** A setting is wrong: the message is one line that names it and says what would be right. */
export class WrongSetting extends Error {
  override name = "WrongSetting";
}

/**
 * Reads the settings.
 * @param get looks a name up in the environment; an empty text counts as set
 * @throws {WrongSetting}
 */
export function readSettings(_get: (name: string) => string | undefined): Settings {
  throw new WrongSetting("not written yet");
}
