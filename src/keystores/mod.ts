export * from "./port.ts";
export * from "./look_ups.ts";
export * from "./memory.ts";
export * from "./mongo.ts";
export * from "./mongo_add_key.ts";
export type { MongoKeyStoreOptions } from "./mongo_client.ts";
export * from "./open_key_store.ts";
