import { getLogger } from "@logtape/logtape";
import {
  BSON,
  type Collection,
  type Document,
  type Filter,
  MongoClient,
  MongoServerError,
  ObjectId,
  UUID,
} from "mongodb";
import { pause } from "./pause.ts";
import { type KeyStore, StoreUnavailable } from "./port.ts";
import { recipientsOf, textOf, valueAt } from "./recipients_of.ts";
import { seldom } from "./seldom.ts";

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

type Value = string | ObjectId | UUID;

const OBJECT_ID = /^[0-9a-f]{24}$/i;
const UUID_TEXT = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** How soon a question that met a broken connection is asked again, in milliseconds. */
const RETRY_MS = 100;
const LONGEST_WAIT_MS = 5000;
const LOG_MS = 60_000;

const logger = getLogger(["keywire", "keystores"]);

/**
 * The keys are documents of a MongoDB collection. It connects by itself, and to a server that is
 * away for as long as it takes; a question waits for the connection until its signal aborts.
 */
export class MongoKeyStore implements KeyStore {
  status: "up" | "down" = "down";
  readonly #keyField: string;
  readonly #recipientField: string;
  readonly #expiresField: string | undefined;
  readonly #filter: Document | undefined;
  readonly #client: MongoClient;
  readonly #collection: Collection;
  readonly #closed = new AbortController();
  readonly #connected: Promise<void>;
  readonly #started: Promise<void>;
  readonly #sayUnreadable = seldom(LOG_MS, (times) =>
    logger.warning(
      "Documents were refused: {keyField} must hold one string, ObjectId or UUID, and " +
        "{recipientField} a string, an ObjectId, a UUID, an integer or an array of such ({times})",
      { keyField: this.#keyField, recipientField: this.#recipientField, times },
    ));

  readonly #sayDown = seldom(
    LOG_MS,
    (times, reason) =>
      logger.warning("MongoDB gave no answer: {reason} ({times})", { reason, times }),
  );

  /** @throws {TypeError} when the connection string or the filter cannot be read. */
  constructor(options: MongoKeyStoreOptions) {
    this.#keyField = options.keyField ?? "_id";
    this.#recipientField = options.recipientField ?? this.#keyField;
    this.#expiresField = options.expiresField;
    this.#filter = readFilter(options.filter);
    this.#client = openClient(options.url);
    this.#collection = this.#client.db(options.database).collection(options.collection);
    this.#connected = this.#connect();
    this.#started = this.#connected.then(() => this.#checkIndex());
  }

  async find(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, readonly string[]>> {
    const values = new Map<string, Value>();
    const keysOf = new Map<string, string[]>();
    for (const key of keys) {
      for (const value of candidates(key)) {
        const id = identity(value);
        values.set(id, value);
        keysOf.set(id, [...keysOf.get(id) ?? [], key]);
      }
    }
    const found = new Map<string, Document>();
    for (const document of await this.#ask([...values.values()], signal)) {
      const value = valueAt(document, this.#keyField);
      const matched = keysOf.get(identity(value));
      if (matched === undefined) this.#sayUnreadable();
      for (const key of matched ?? []) {
        // A key may stand there twice, as text and as an ObjectId: what was sent is the text.
        if (typeof value === "string" || !found.has(key)) found.set(key, document);
      }
    }
    return this.#recipients(found);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#client.close();
    await this.#started;
  }

  #recipients(found: Map<string, Document>): Map<string, readonly string[]> {
    const answer = new Map<string, readonly string[]>();
    for (const [key, document] of found) {
      const recipients = recipientsOf(valueAt(document, this.#recipientField));
      if (recipients === undefined) this.#sayUnreadable();
      else answer.set(key, recipients);
    }
    return answer;
  }

  async #ask(values: readonly Value[], signal: AbortSignal): Promise<Document[]> {
    if (values.length === 0) return [];
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
    try {
      if (!signal.aborted) await Promise.race([this.#connected, aborted]);
      const documents = await this.#query(values, signal);
      this.status = "up";
      return documents;
    } catch (error) {
      this.status = "down";
      this.#sayDown(reason(error));
      // The driver's error is not passed on: it may quote the question, and so a key.
      throw new StoreUnavailable("Cannot look keys up: MongoDB gave no answer");
    }
  }

  async #query(values: readonly Value[], signal: AbortSignal): Promise<Document[]> {
    for (;;) {
      signal.throwIfAborted();
      this.#closed.signal.throwIfAborted();
      try {
        return await this.#collection.find(this.#condition(values), {
          projection: this.#projection(),
          batchSize: values.length + 1, // One more than can match, so that one reply holds all.
          useBigInt64: true,
          signal, // The only one of the driver's deadlines that holds against a hung server.
        }).toArray();
      } catch (error) {
        if (signal.aborted || error instanceof MongoServerError) throw error;
      }
      // After a restart of the server each pooled connection fails once; the driver does not see
      // that as worth a retry.
      await pause(RETRY_MS, signal);
    }
  }

  /** Only values that `candidates` made stand in it: nothing that a client sends is an operator. */
  #condition(values: readonly Value[]): Filter<Document> {
    const conditions: Document[] = [{ [this.#keyField]: { $in: values } }];
    if (this.#filter !== undefined) conditions.push(this.#filter);
    if (this.#expiresField !== undefined) {
      conditions.push({ [this.#expiresField]: { $gt: new Date() } });
    }
    return { $and: conditions };
  }

  #projection(): Document {
    const fields = [this.#keyField, this.#recipientField];
    const projection: Document = Object.fromEntries(fields.map((field) => [field, 1]));
    if (!fields.some((field) => field.split(".")[0] === "_id")) projection["_id"] = 0;
    return projection;
  }

  async #connect(): Promise<void> {
    const hosts = hostsOf(this.#client);
    const { signal } = this.#closed;
    for (let wait = RETRY_MS; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      try {
        // Connecting is not left to the first question: the driver would give up with it for good.
        await this.#client.connect();
        this.status = "up";
        logger.info("Connected to MongoDB at {hosts}", { hosts });
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (wait === RETRY_MS) {
          logger.warning("Waiting for MongoDB at {hosts}: {reason}", {
            hosts,
            reason: reason(error),
          });
        }
      }
      await pause(wait * (0.5 + Math.random() / 2), signal);
    }
  }

  async #checkIndex(): Promise<void> {
    if (this.#keyField === "_id" || this.#closed.signal.aborted) return;
    const field = this.#keyField;
    try {
      if (await hasIndex(this.#collection, field)) return;
      logger.warning("No index begins with {field}: every look-up reads the whole collection", {
        field,
      });
    } catch (error) {
      logger.debug("Cannot see whether {field} has an index: {reason}", {
        field,
        reason: reason(error),
      });
    }
  }
}

/** A key to add, and what it is good for. */
export interface NewKey {
  /** 192 random bits in base64url when absent. */
  readonly key?: string | undefined;
  /** Whom it hears for; only where the recipient's field is not the key's. */
  readonly recipient?: string | undefined;
  /** Until when it may connect; only where documents have an expiry. */
  readonly expires?: Date | undefined;
}

/**
 * Adds one document with a key that may connect, and an index on the key's field.
 * @returns the key
 * @throws {TypeError} when `recipient` or `expires` has no field, or the key is there already.
 */
export async function addKey(
  options: MongoKeyStoreOptions,
  { key = randomKey(), recipient, expires }: NewKey = {},
): Promise<string> {
  const { keyField = "_id", recipientField = keyField, expiresField } = options;
  const fields: Document = { [keyField]: key };
  if (recipientField === keyField) {
    if (recipient !== undefined) {
      throw new TypeError("Cannot name a recipient as the key is its own: name a recipient field");
    }
  } else {
    if (recipient === undefined) throw new TypeError(`Cannot add a key without a recipient`);
    fields[recipientField] = recipient;
  }
  if (expires !== undefined) {
    if (expiresField === undefined) {
      throw new TypeError("Cannot let the key expire as no field for the date is named");
    }
    fields[expiresField] = expires;
  }
  await using client = openClient(options.url);
  const collection = client.db(options.database).collection(options.collection);
  if (keyField !== "_id") await collection.createIndex({ [keyField]: 1 });
  const { upsertedCount } = await collection.updateOne(
    { [keyField]: { $eq: key } },
    { $setOnInsert: fields },
    { upsert: true },
  );
  if (upsertedCount === 0) throw new TypeError("Cannot add the key as it is there already");
  return key;
}

function randomKey(): string {
  return crypto.getRandomValues(new Uint8Array(24)).toBase64({ alphabet: "base64url" });
}

/** What `key` may be in the database: itself, and the types whose text it is. */
function candidates(key: string): Value[] {
  if (OBJECT_ID.test(key)) return [key, ObjectId.createFromHexString(key)];
  if (UUID_TEXT.test(key)) return [key, new UUID(key)];
  return [key];
}

/** Tells values apart, a text from the ObjectId or UUID that it spells. */
function identity(value: unknown): string {
  return `${typeof value} ${textOf(value)}`;
}

function openClient(url: string): MongoClient {
  try {
    return new MongoClient(url, {
      appName: "keywire",
      serverSelectionTimeoutMS: 3000,
      connectTimeoutMS: 5000,
    });
  } catch {
    // The driver's message may quote the string.
    throw new TypeError("Cannot read the connection string of MongoDB");
  }
}

function readFilter(text: string | undefined): Document | undefined {
  if (text === undefined) return undefined;
  try {
    return BSON.EJSON.parse(text);
  } catch (error) {
    throw new TypeError(`Cannot read the filter as Extended JSON: ${reason(error)}`);
  }
}

function hostsOf({ options }: MongoClient): string {
  return options.srvHost ?? options.hosts.join(", ");
}

async function hasIndex(collection: Collection, field: string): Promise<boolean> {
  const indexes = await collection.indexes();
  return indexes.some(({ key, partialFilterExpression }) =>
    Object.keys(key)[0] === field && partialFilterExpression === undefined
  );
}

function reason(error: unknown): string {
  return error instanceof MongoServerError ? String(error.codeName ?? error.code) : String(error);
}
