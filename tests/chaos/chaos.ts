import { waitFor } from "../support/wait.ts";
import { type Account, emptyAccount, settle } from "./account.ts";
import { Backend, type BackendOptions } from "./backend.ts";
import {
  ChaosClient,
  type ChaosClientOptions,
  type ChaosListener,
  type Word,
} from "./chaos_client.ts";
import { Cluster } from "./cluster.ts";

/** How large and how long it is. */
export interface ChaosOptions {
  /** Half of them listen by WebSocket, half by server-sent events, two to a recipient. */
  readonly clients: number;
  /** Messages a second in all. */
  readonly rate: number;
  /** How long a phase's fault lasts, or is followed by, in milliseconds. */
  readonly phaseMs: number;
  /** How long what is frozen is so, in milliseconds. */
  readonly freezeMs: number;
  /** Another client than keywire.js. */
  readonly listen?: (url: string, options: ChaosClientOptions) => ChaosListener;
}

/** One kind of trouble. */
export interface Phase {
  readonly name: string;
  /** Makes trouble and mends it. */
  readonly run: (cluster: Cluster, options: ChaosOptions) => Promise<void>;
}

/** What was found of one phase. */
export interface PhaseReport extends Account {
  readonly name: string;
  /** Messages that Redis confirmed. */
  readonly messages: number;
  /** How often a client was told so in it, all clients together. */
  readonly words: Readonly<Record<Word, number>>;
}

/** How a chaos is set up: what its backend does, and how its nodes are. */
export interface Chaos {
  readonly env: Record<string, string>;
  readonly send: BackendOptions["send"];
  readonly phases: readonly Phase[];
}

/** How long clients may take to get what they are owed once the trouble is over, in milliseconds. */
const CAUGHT_UP_MS = 90_000;

/** Runs one phase after the other, while a backend publishes, and gives account of every message. */
export async function runChaos(chaos: Chaos, options: ChaosOptions): Promise<PhaseReport[]> {
  const recipients = Array.from({ length: options.clients / 2 }, (_, index) => `client-${index}`);
  await using cluster = await Cluster.start({
    ...chaos.env,
    EMBEDDED_KEYS: recipients.join(","),
  });
  using backend = new Backend({
    port: cluster.redis.port,
    recipients,
    rate: options.rate,
    send: chaos.send,
  });
  const words = chaos.phases.map(() => ({ "recovered": 0, "not recovered": 0, "gap": 0 }));
  using clients = new DisposableStack();
  const listen = options.listen ??
    ((url: string, options: ChaosClientOptions) => new ChaosClient(url, options));
  const all = recipients.flatMap((recipient) =>
    (["websocket", "sse"] as const).map((transport) =>
      clients.use(
        listen(cluster.balancer.url, {
          recipient,
          transport,
          onWord: (word) => words[backend.phase]![word]++,
        }),
      )
    )
  );
  // What came before a client's first connection was never owed to it.
  await waitFor("every client to be connected", () => all.every(({ isOpen }) => isOpen), 90_000);
  backend.start();
  for (const [index, { name, run }] of chaos.phases.entries()) {
    backend.phase = index;
    try {
      await run(cluster, options);
      await cluster.ready();
      // The nodes may be back before the backend is.
      await waitFor(
        "the backend to publish",
        () => backend.confirmedIn(index) >= recipients.length,
        CAUGHT_UP_MS,
      );
      await caughtUp(all, backend);
    } catch (cause) {
      const logs = cluster.nodes.map(({ process }) => process.log).join("\n");
      throw new Error(`Trouble never ended: ${name}\n${logs}`, { cause });
    }
  }
  await backend.stop();
  await caughtUp(all, backend);

  const accounts = chaos.phases.map(emptyAccount);
  for (const { recipient, heard } of all) {
    settle(backend.published.get(recipient)!, heard, accounts);
  }
  return chaos.phases.map(({ name }, index) => ({
    name,
    messages: backend.confirmedIn(index),
    words: words[index]!,
    ...accounts[index]!,
  }));
}

/** Resolves when every client has got to where its backend is now. */
async function caughtUp(clients: readonly ChaosListener[], backend: Backend): Promise<void> {
  let behind = clients.map((client) => ({
    client,
    owed: backend.lastConfirmed(client.recipient),
  }));
  try {
    await waitFor("every client to hear again", () => {
      behind = behind.filter(({ client, owed }) => client.reached < owed);
      return behind.length === 0;
    }, CAUGHT_UP_MS);
  } catch (error) {
    const names = behind.map(({ client, owed }) => `${client}, owed ${owed}`);
    throw new Error(`${(error as Error).message}: ${names.length} behind, as ${names[0]}`);
  }
}
