import { setTimeout as delay } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import {
  type Collection,
  type Document,
  type Filter,
  type MongoClient,
  MongoServerError,
} from "mongodb";
import {
  hasIndex,
  hostsOf,
  type MongoKeyStoreOptions,
  openClient,
  publicReason,
  readFilter,
  reason,
} from "./mongo_client.ts";
import { MissExplainer } from "./mongo_diagnosis.ts";
import { candidates, identity, type Value } from "./mongo_values.ts";
import type { PartHealth } from "../core/part_health.ts";
import { rateLimited } from "../logging/rate_limited.ts";
import { type KeyStore, StoreUnavailable } from "./port.ts";
import { recipientsOf, valueAt } from "./recipients_of.ts";
import { StoreHealth } from "./store_health.ts";

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
  readonly #keyField: string;
  readonly #recipientField: string;
  readonly #expiresField: string | undefined;
  readonly #filter: Document | undefined;
  readonly #client: MongoClient;
  readonly #collection: Collection;
  readonly #closed = new AbortController();
  readonly #connected: Promise<void>;
  readonly #started: Promise<void>;
  readonly #misses: MissExplainer;
  readonly #sayRepeated = rateLimited(LOG_MS, (times) =>
    logger.warning(
      "Several documents have one {keyField}: their recipients are united; make the field unique " +
        "({times})",
      { keyField: this.#keyField, times },
    ));
  readonly #sayUnreadable = rateLimited(LOG_MS, (times) =>
    logger.warning(
      "Documents were refused: {keyField} must hold one string, ObjectId or UUID, and " +
        "{recipientField} a string, not empty, an ObjectId, a UUID, an integer or an array of such " +
        "({times})",
      { keyField: this.#keyField, recipientField: this.#recipientField, times },
    ));

  readonly #health: StoreHealth;

  /** @throws {TypeError} when the connection string or the filter cannot be read. */
  constructor(options: MongoKeyStoreOptions) {
    this.#keyField = options.keyField ?? "_id";
    this.#recipientField = options.recipientField ?? this.#keyField;
    this.#expiresField = options.expiresField;
    this.#filter = readFilter(options.filter);
    this.#client = openClient(options.url);
    this.#collection = this.#client.db(options.database).collection(options.collection);
    this.#health = new StoreHealth({
      name: "MongoDB",
      hosts: hostsOf(this.#client),
      faultOf: (error) => ({ shown: publicReason(error), logged: reason(error) }),
    });
    this.#misses = new MissExplainer({
      collection: this.#collection,
      keyField: this.#keyField,
      expiresField: this.#expiresField,
      closed: this.#closed.signal,
    });
    this.#connected = this.#connect();
    this.#started = this.#connected.then(async () => {
      await this.#checkIndex();
      await this.#health.watch((signal) => this.#ping(signal), this.#closed.signal);
    });
  }

  get status(): "up" | "down" {
    return this.#health.status;
  }

  get part(): PartHealth {
    return this.#health.part;
  }

  async find(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, readonly string[]>> {
    const values: Value[] = [];
    /** Which keys spell the values that are no text. */
    const keysOf = new Map<string, string[]>();
    for (const key of keys) {
      for (const value of candidates(key)) {
        values.push(value);
        if (typeof value === "string") continue;
        const id = identity(value);
        keysOf.set(id, [...keysOf.get(id) ?? [], key]);
      }
    }
    const found = new Map<string, readonly string[]>();
    for (const document of await this.#ask(values, signal)) {
      const value = valueAt(document, this.#keyField);
      const matched = typeof value === "string" ? [value] : keysOf.get(identity(value));
      const recipients = recipientsOf(valueAt(document, this.#recipientField));
      if (matched === undefined || recipients === undefined) this.#sayUnreadable();
      else for (const key of matched) this.#addRecipients(found, key, recipients);
    }
    this.#misses.explain(keys.find((key) => !found.has(key)));
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#client.close();
    await this.#started;
  }

  /** Several documents with one key give the union of their recipients. */
  #addRecipients(
    found: Map<string, readonly string[]>,
    key: string,
    recipients: readonly string[],
  ): void {
    const others = found.get(key);
    if (others !== undefined) this.#sayRepeated();
    found.set(key, others === undefined ? recipients : [...new Set([...others, ...recipients])]);
  }

  async #ask(values: readonly Value[], signal: AbortSignal): Promise<Document[]> {
    if (values.length === 0) return [];
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
    try {
      if (!signal.aborted) await Promise.race([this.#connected, aborted]);
      const documents = await this.#query(values, signal);
      this.#health.reportUp();
      return documents;
    } catch (error) {
      if (!this.#closed.signal.aborted) this.#health.reportDown(error);
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
      await delay(RETRY_MS, undefined, { signal }).catch(() => {});
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

  /** Not by the command of that name: against a hung server the signal holds for questions alone. */
  #ping(signal: AbortSignal): Promise<unknown> {
    return this.#collection.findOne({}, { projection: { _id: 1 }, signal });
  }

  async #connect(): Promise<void> {
    const { signal } = this.#closed;
    for (let wait = RETRY_MS; !signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      try {
        // Connecting is not left to the first question: the driver would give up with it for good.
        await this.#client.connect();
        return this.#health.reportUp();
      } catch (error) {
        if (signal.aborted) return;
        this.#health.reportDown(error);
        logger.debug("Connecting to MongoDB again: {reason}", { reason: reason(error) });
      }
      await delay(wait * (0.5 + Math.random() / 2), undefined, { signal }).catch(() => {});
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
