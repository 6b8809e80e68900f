/** `addKey` does what a backend does when a user logs in. */
import type { Document } from "mongodb";
import { type MongoKeyStoreOptions, openClient } from "./mongo_client.ts";

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
  const fields = fieldsOf(options, key, recipient, expires);
  const { keyField = "_id" } = options;
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

function fieldsOf(
  { keyField = "_id", recipientField = keyField, expiresField }: MongoKeyStoreOptions,
  key: string,
  recipient: string | undefined,
  expires: Date | undefined,
): Document {
  const isOwn = recipientField === keyField;
  if (isOwn && recipient !== undefined) {
    throw new TypeError("Cannot name a recipient: each key is its own without a recipient field");
  }
  if (!isOwn && recipient === undefined) throw new TypeError("Cannot add a key for no recipient");
  if (expires !== undefined && expiresField === undefined) {
    throw new TypeError("Cannot let the key expire: no field for the date is named");
  }
  return {
    [keyField]: key,
    ...isOwn ? {} : { [recipientField]: recipient },
    ...expiresField === undefined || expires === undefined ? {} : { [expiresField]: expires },
  };
}
