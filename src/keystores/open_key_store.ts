import type { Settings } from "../settings.ts";
import { MemoryKeyStore } from "./memory.ts";
import { MongoKeyStore, type MongoKeyStoreOptions } from "./mongo.ts";
import type { KeyStore } from "./port.ts";

/**
 * The key store that the settings name: MongoDB, or the embedded one.
 * @throws {TypeError} when MongoDB's connection string or the filter cannot be read.
 */
export function openKeyStore(settings: Settings): KeyStore {
  const options = mongoOptions(settings);
  return options === undefined
    ? new MemoryKeyStore(settings.embeddedKeys)
    : new MongoKeyStore(options);
}

/** What the settings say of MongoDB; undefined when the store is embedded. */
export function mongoOptions(settings: Settings): MongoKeyStoreOptions | undefined {
  if (settings.mongodbUrl === undefined) return undefined;
  return {
    url: settings.mongodbUrl,
    database: settings.mongodbDatabase,
    collection: settings.mongodbCollection,
    keyField: settings.mongodbKeyField,
    recipientField: settings.mongodbRecipientField,
    filter: settings.mongodbFilter,
    expiresField: settings.mongodbExpiresField,
  };
}
