import { InvalidSetting, type Settings } from "../settings/settings.ts";
import { MemoryKeyStore } from "./memory.ts";
import { MongoKeyStore } from "./mongo.ts";
import type { MongoKeyStoreOptions } from "./mongo_client.ts";
import type { KeyStore } from "./port.ts";

/**
 * The key store that the settings name: MongoDB, or the embedded one.
 * @throws {InvalidSetting} when the driver cannot read the connection string or the filter.
 */
export function openKeyStore(settings: Settings): KeyStore {
  const options = mongoOptions(settings);
  if (options === undefined) return new MemoryKeyStore(settings.embeddedKeys);
  try {
    return new MongoKeyStore(options);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new InvalidSetting(`MONGODB_URL or MONGODB_FILTER is wrong: ${error.message}`);
  }
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
