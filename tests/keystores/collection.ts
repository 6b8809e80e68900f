import { type Document, MongoClient } from "mongodb";
import { MongoKeyStore, type MongoKeyStoreOptions } from "../../src/keystores/mod.ts";

/** A collection of a database that only one test knows. */
export class TestCollection implements AsyncDisposable {
  readonly #client: MongoClient;
  readonly #url: string;
  readonly #database = `keywire_test_${crypto.randomUUID().replaceAll("-", "")}`;

  constructor(url: string) {
    this.#url = url;
    this.#client = new MongoClient(url);
  }

  /** The options of a store that reads this collection. */
  options(more: Partial<MongoKeyStoreOptions> = {}): MongoKeyStoreOptions {
    return { url: this.#url, database: this.#database, collection: "keys", ...more };
  }

  /** A store that reads this collection. */
  store(more: Partial<MongoKeyStoreOptions> = {}): MongoKeyStore {
    return new MongoKeyStore(this.options(more));
  }

  async insert(...documents: Document[]): Promise<void> {
    await this.#keys.insertMany(documents);
  }

  async remove(filter: Document): Promise<void> {
    await this.#keys.deleteMany(filter);
  }

  async documents(): Promise<Document[]> {
    return await this.#keys.find().toArray();
  }

  /** The first fields of the indexes. */
  async indexed(): Promise<(string | undefined)[]> {
    return (await this.#keys.indexes()).map(({ key }) => Object.keys(key)[0]);
  }

  async createIndex(field: string): Promise<void> {
    await this.#keys.createIndex({ [field]: 1 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.db(this.#database).dropDatabase();
    await this.#client.close();
  }

  get #keys() {
    return this.#client.db(this.#database).collection<Document>("keys");
  }
}
