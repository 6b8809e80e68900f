/**
 * Three nodes in processes of their own on a real Redis, and on a Cluster of three masters: what
 * happens is drawn by chance. PRESENCE_RUNS=20 plays more than the gate does, PRESENCE_SEED=7 one again.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { trustRegistry } from "../support/presence.ts";
import { type Backend, openBackend } from "../support/redis_client.ts";
import { startRedisCluster } from "../support/redis_cluster.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";
import { NodeProcess } from "./node_process.ts";

const RUNS = Number(Deno.env.get("PRESENCE_RUNS") ?? 1);
const SEED = Deno.env.get("PRESENCE_SEED");
const RECIPIENTS = ["ann", "bob", "cyd", "dan"];
/** Longer than QUICK's leases and all that follows from them. */
const REAPED_MS = 2_500;

/** The nodes, what they have, and what backends heard. */
class System implements AsyncDisposable {
  readonly nodes: NodeProcess[] = [];

  constructor(
    readonly url: string,
    readonly servers: readonly RedisServer[],
    readonly backend: Backend,
  ) {}

  async start(): Promise<void> {
    while (this.nodes.length < 3) this.nodes.push(new NodeProcess(this.url));
    await waitFor("the nodes", async () => {
      for (const node of this.nodes) if (await node.ask<number>("nodes") !== 3) return false;
      return true;
    }, 60_000);
  }

  /** Waits until registry and notices equal the truth. */
  async quiet(): Promise<void> {
    for (const node of this.nodes) if (node.isFrozen) node.thaw();
    await this.start();
    const truth = new Map<string, number>();
    for (const name of this.nodes.flatMap(({ sockets }) => sockets)) {
      truth.set(name, (truth.get(name) ?? 0) + 1);
    }
    const expected = JSON.stringify([...truth].toSorted());
    let state = "";
    await waitFor(`registry and notices to equal ${expected}`, async () => {
      for (const node of this.nodes) {
        await node.ask("settled");
        const found = await node.ask<[string, number][]>(`look ${RECIPIENTS.join(" ")}`);
        state = JSON.stringify(found.toSorted());
        if (state !== expected) return false;
      }
      return JSON.stringify([...announced(this.backend.heard)].toSorted()) ===
        JSON.stringify([...truth.keys()].toSorted());
    }, 60_000).catch((error) => {
      throw new Error(`${error.message}; registry ${state}; heard ${this.backend.heard}`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) await node[Symbol.asyncDispose]();
    await this.backend[Symbol.asyncDispose]();
  }
}

/** Who is there as the notices say; they must alternate. */
function announced(heard: readonly string[]): Set<string> {
  const there = new Set<string>();
  for (const notice of heard) {
    const [kind, name] = notice.split(" ") as [string, string];
    assertEquals(there.has(name), kind === "disconnected", `${notice}, in ${heard}`);
    if (kind === "connected") there.add(name);
    else there.delete(name);
  }
  return there;
}

type Model = Record<string, never>;
type Step = fc.AsyncCommand<Model, System>;

function step(name: string, run: (system: System) => Promise<void>): Step {
  return { check: () => true, run: (_, system) => run(system), toString: () => name };
}

const node = fc.nat({ max: 2 });
const recipient = fc.constantFrom(...RECIPIENTS);
const connect = fc.tuple(node, recipient).map(([at, name]) =>
  step(`connect(${at}, ${name})`, (system) => system.nodes[at]!.connect(name))
);
const close = fc.tuple(node, fc.nat()).map(([at, which]) =>
  step(`close(${at}, ${which})`, async ({ nodes }) => {
    const { sockets } = nodes[at]!;
    if (sockets.length > 0) await nodes[at]!.close(sockets[which % sockets.length]!);
  })
);
const quiet = fc.constant(step("quiet", (system) => system.quiet()));
const kill = node.map((at) =>
  step(`kill(${at})`, async (system) => {
    await system.nodes[at]!.kill();
    system.nodes.splice(at, 1);
    await system.quiet();
  })
);
const freeze = fc.tuple(node, fc.constantFrom(200, REAPED_MS)).map(([at, ms]) =>
  step(`freeze(${at}, ${ms})`, async ({ nodes }) => {
    nodes[at]!.freeze();
    await new Promise((resolve) => setTimeout(resolve, ms));
    nodes[at]!.thaw();
  })
);
const freezeRedis = fc.constantFrom(300, REAPED_MS).map((ms) =>
  step(`freezeRedis(${ms})`, async ({ servers }) => {
    for (const server of servers) server.freeze();
    await new Promise((resolve) => setTimeout(resolve, ms));
    for (const server of servers) server.thaw();
  })
);
// A node that dies before it has written again takes with it what only it knew: so all is quiet then.
const flush = fc.constant(step("flush", async (system) => {
  await system.quiet();
  for (const server of system.servers) await server.tell("FLUSHALL");
  await system.nodes[0]!.connect("ann");
  const [name] = system.nodes[1]!.sockets;
  if (name !== undefined) await system.nodes[1]!.close(name);
  await system.quiet();
}));
// The first master stays: there the notices are heard.
const killMaster = fc.constantFrom(1, 2).map((at) =>
  step(`killMaster(${at})`, async (system) => {
    await system.quiet();
    await system.servers[at]!.kill();
    await system.nodes[2]!.connect("bob");
    await system.servers[at]!.start();
    await system.quiet();
  })
);

async function play(steps: fc.Arbitrary<Step>[], open: () => Promise<System>): Promise<void> {
  const commands = fc.commands(
    [connect, connect, connect, close, close, quiet, ...steps],
    { size: "max", maxCommands: 24 },
  );
  await fc.assert(
    fc.asyncProperty(commands, async (commands) => {
      await using system = await open();
      await system.start();
      await fc.asyncModelRun(() => ({ model: {}, real: system }), commands);
      await system.quiet();
      for (const node of system.nodes) for (const name of [...node.sockets]) await node.close(name);
      await system.quiet();
      for (const node of system.nodes.splice(0)) await node.leave();
      for (const server of system.servers) await assertNothingLeft(server);
    }),
    { numRuns: RUNS, endOnFailure: true, ...SEED === undefined ? {} : { seed: Number(SEED) } },
  );
}

/** No key but the mark, which expires. */
async function assertNothingLeft(server: RedisServer): Promise<void> {
  const keys = (await server.tell("KEYS", "*")).split("\r\n").filter((line) => line.includes(":{"));
  for (const key of keys) {
    const ms = Number((await server.tell("PTTL", key)).slice(1));
    assert(ms > 0 && ms <= 86_400_000, `${key} expires in ${ms} ms`);
  }
  assertEquals(keys.filter((key) => !key.endsWith(":mark")), []);
}

together("presence over three nodes", {
  "on one Redis, with kill -9, freezes and flushes": async () => {
    await using server = await startRedis();
    await trustRegistry(server);
    await play([kill, freeze, freezeRedis, flush], async () => {
      await server.tell("FLUSHALL");
      const backend = await openBackend(server.url, { channels: ["connected", "disconnected"] });
      return new System(server.url, [server], backend);
    });
  },

  "on a Cluster of three masters, one of which is killed": async () => {
    await using cluster = await startRedisCluster();
    await play([kill, freeze, killMaster], async () => {
      await cluster.settled();
      for (const server of cluster.servers) await server.tell("FLUSHALL");
      const { url } = cluster.servers[0]!;
      const backend = await openBackend(url, { channels: ["connected", "disconnected"] });
      return new System(cluster.url, cluster.servers, backend);
    });
  },
});
