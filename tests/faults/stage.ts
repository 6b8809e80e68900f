import { MongoClient } from "mongodb";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { type MongodbServer, startMongodb } from "../support/mongodb.ts";
import { Proxy } from "../support/proxy.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { type Bus, startBus } from "./stage_bus.ts";

/** Which servers a fault needs, beside one node. */
export interface StageOptions {
  /** What stands for Redis: one server, two behind a Sentinel, or a Cluster of three masters. */
  readonly bus?: "redis" | "sentinel" | "cluster";
  /** More of Redis's settings, as on its command line. */
  readonly redisArgs?: readonly string[];
  /** Whether the keys are in a MongoDB instead of the embedded store. */
  readonly mongodb?: boolean;
  readonly nodes?: 1 | 2;
  readonly env?: Readonly<Record<string, string>>;
  /** A command before each node, such as `["prlimit", "--nofile=160:160"]`. */
  readonly prefix?: readonly string[];
}

/** The keys that may connect. */
export const KEYS = ["demo", "newcomer", "crowd"];
/** The token of the API. */
export const TOKEN = "faults-".repeat(5);

/** Real servers, before which stands a door for clients. Those connect to the first node. */
export class Stage implements AsyncDisposable {
  readonly nodes: KeywireProcess[];
  readonly door: Proxy;
  readonly bus: Bus;
  readonly mongodb: MongodbServer | undefined;
  /** Whatever a fault opens and leaves open. */
  left = new AsyncDisposableStack();
  readonly #start: (port: number, ready: boolean) => Promise<KeywireProcess>;
  readonly #parts: AsyncDisposableStack;

  private constructor(
    { bus, mongodb, nodes, start, parts }: {
      bus: Bus;
      nodes: KeywireProcess[];
      mongodb: MongodbServer | undefined;
      start: (port: number, ready: boolean) => Promise<KeywireProcess>;
      parts: AsyncDisposableStack;
    },
  ) {
    this.bus = bus;
    this.nodes = nodes;
    this.mongodb = mongodb;
    this.#start = start;
    this.#parts = parts;
    parts.defer(() => this.cleanUp());
    this.door = parts.use(new Proxy(this.node.port));
  }

  /** Starts the servers, and waits until every node is ready. */
  static async open(options: StageOptions = {}): Promise<Stage> {
    await using parts = new AsyncDisposableStack();
    const bus = parts.use(await startBus(options));
    const mongodb = options.mongodb ? parts.use(await startKeys()) : undefined;
    const env = {
      HOST: "127.0.0.1",
      REDIS_URL: bus.url,
      API_TOKEN: TOKEN,
      LOG_FORMAT: "json",
      MAX_CONNECTIONS_PER_KEY: "1000",
      ...mongodb === undefined ? { EMBEDDED_KEYS: KEYS.join(",") } : { MONGODB_URL: mongodb.url },
      ...options.env,
    };
    const { prefix = [] } = options;
    const start = (port: number, ready: boolean) =>
      startKeywire({ ...env, PORT: `${port}` }, { prefix, ready });
    const nodes: KeywireProcess[] = [];
    for (let n = 0; n < (options.nodes ?? 1); n++) {
      nodes.push(await start(freePort(), true));
      parts.defer(() => nodes[n]![Symbol.asyncDispose]()); // the one that runs by then
    }
    return new Stage({ bus, mongodb, nodes, start, parts: parts.move() });
  }

  /** The node that clients connect to, and that is struck. */
  get node(): KeywireProcess {
    return this.nodes[0]!;
  }

  /** Where clients connect. */
  get url(): string {
    return `http://127.0.0.1:${this.door.port}`;
  }

  /** Starts the struck node again on its port, once it has ended. */
  async restart({ ready = true }: { readonly ready?: boolean } = {}): Promise<void> {
    const { port, ended } = this.node;
    await ended;
    this.nodes[0] = await this.#start(port, ready);
  }

  /** Closes what the fault has left open. */
  async cleanUp(): Promise<void> {
    await this.left.disposeAsync();
    this.left = new AsyncDisposableStack();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts[Symbol.asyncDispose]();
  }
}

async function startKeys(): Promise<MongodbServer> {
  const server = await startMongodb();
  await using client = new MongoClient(server.url);
  const keys = client.db("myDB").collection<{ _id: string }>("myCollection");
  await keys.bulkWrite(KEYS.map((_id) => ({
    replaceOne: { filter: { _id }, replacement: {}, upsert: true },
  })));
  await waitFor("the keys", async () => await keys.countDocuments() >= KEYS.length);
  return server;
}
