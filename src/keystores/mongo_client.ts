/** What the key store and `addKey` need of the driver. */
import { BSON, type Collection, type Document, MongoClient, MongoServerError } from "mongodb";

/** Where the documents are and how they are read. */
export interface MongoKeyStoreOptions {
  /** The connection string. It may hold a password; it is never shown. */
  readonly url: string;
  readonly database: string;
  readonly collection: string;
  /** The field that equals the key; dots lead into embedded documents. */
  readonly keyField?: string;
  /** The field with the recipient, or an array of them; the key field when absent. */
  readonly recipientField?: string | undefined;
  /** A condition that documents must meet as well, in Extended JSON. */
  readonly filter?: string | undefined;
  /** The field with the date until which the key may connect. */
  readonly expiresField?: string | undefined;
}

/**
 * A client that is not connected yet.
 * @throws {TypeError} when the connection string cannot be read.
 */
export function openClient(url: string): MongoClient {
  try {
    return new MongoClient(url, {
      appName: "keywire",
      serverSelectionTimeoutMS: 3000,
      connectTimeoutMS: 5000,
      // One document whose bytes are no text would fail the look-up of all that are asked with it.
      enableUtf8Validation: false,
    });
  } catch {
    // The driver's message may quote the string.
    throw new TypeError("Cannot read the connection string of MongoDB");
  }
}

/**
 * The filter as a document.
 * @throws {TypeError} when it is no Extended JSON.
 */
export function readFilter(text: string | undefined): Document | undefined {
  if (text === undefined) return undefined;
  try {
    return BSON.EJSON.parse(text);
  } catch (error) {
    throw new TypeError(`Cannot read the filter as Extended JSON: ${reason(error)}`);
  }
}

/** Where the client connects to, without user and password. */
export function hostsOf({ options }: MongoClient): string {
  return options.srvHost ?? options.hosts.join(", ");
}

/** Whether an index of the whole collection begins with `field`. */
export async function hasIndex(collection: Collection, field: string): Promise<boolean> {
  const indexes = await collection.indexes();
  return indexes.some(({ key, partialFilterExpression }) =>
    Object.keys(key)[0] === field && partialFilterExpression === undefined
  );
}

/** What an error says that may be logged: the text of a server could quote the question, so a key. */
export function reason(error: unknown): string {
  return error instanceof MongoServerError ? String(error.codeName ?? error.code) : String(error);
}

/** What an error says that strangers may see: no text of the driver, which names hosts. */
export function publicReason(error: unknown): string {
  if (error instanceof MongoServerError) return `MongoDB answered ${reason(error)}`;
  const { name, message } = error as Error;
  if (/Timeout|Abort/.test(name)) return "TIMEOUT: no answer in time";
  const [code] = /\bE[A-Z]{4,}\b/.exec(message) ?? [];
  return `no server of MongoDB answers (${code ?? name})`;
}
