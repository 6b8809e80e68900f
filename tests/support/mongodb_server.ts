import { MongoClient } from "mongodb";
import { waitFor } from "./wait.ts";

/** A server that speaks MongoDB, with the faults that tests need. */
export interface MongodbServer extends AsyncDisposable {
  /** The connection string, without a database. */
  readonly url: string;
  /** Starts the server, or starts it again with its data; resolves when it answers. */
  start(): Promise<void>;
  /** Ends the server at once, as a crash does. */
  kill(): Promise<void>;
  /** Stops the server where it stands: connections stay open and nothing answers. */
  freeze(): Promise<void>;
  /** Lets a frozen server go on. */
  thaw(): Promise<void>;
}

/** Resolves when the server at `url` answers a ping; `check` throws when that is past hope. */
export async function answers(url: string, check: () => void = () => {}): Promise<void> {
  await waitFor("MongoDB's answer to a ping", async () => {
    check();
    await using client = new MongoClient(url, { serverSelectionTimeoutMS: 500 });
    return await client.db("admin").command({ ping: 1 }).then(() => true, () => false);
  }, 60_000);
}
