import { assert, assertEquals } from "@std/assert";
import { type Format, PLAIN, SSE, V1 } from "../../src/core/format.ts";
import { Rebalancing } from "../../src/gateway/rebalancing.ts";
import { PresenceUnavailable } from "../../src/presence/mod.ts";
import type { NodeInfo } from "../../src/presence/port.ts";
import { Logged } from "../support/logged.ts";

/** How old the others' view of a node may be, in seconds: told and read every 3 s. */
const RENEW_SECONDS = 3;

/** How long there must be a surplus. */
const LASTING_SECONDS = 12;
/** How long a node that is gone without a word is counted: its lease, and a renewal. */
const DEAD_SECONDS = 11;

class Client {
  ended = false;
  attached = true;
  /** How often it was sent away. */
  moves = 0;
  constructor(readonly format: Format = V1) {}
}

class SimulatedNode {
  readonly connections = new Map<Client, true>();
  readonly rebalancing: Rebalancing<Client>;
  /** How many it sent away in each second. */
  readonly sent: number[] = [];
  /** What the others know. */
  published = 0;
  /** Clients that it told to leave in this second. */
  readonly leaving: Client[] = [];

  constructor(readonly index: number, readonly nodes: SimulatedNode[], now: () => number) {
    this.rebalancing = new Rebalancing<Client>({
      connections: this.connections,
      registry: { nodes: () => Promise.resolve(nodes.map((node) => this.#view(node))) },
      sendReconnect: (client) => this.leaving.push(client),
      now,
    });
  }

  #view(node: SimulatedNode): NodeInfo {
    const isThis = node === this;
    const connections = isThis ? node.connections.size : node.published;
    const common = { version: "0", since: 0, address: "", readySeconds: 60 };
    return { ...common, id: String(node.index), isThis, connections };
  }
}

/** Chooses a node for a client, as a balancer does. */
type Balancer = (nodes: readonly SimulatedNode[], turn: number) => SimulatedNode;

const BALANCERS: Readonly<Record<string, Balancer>> = {
  "round robin": (nodes, turn) => nodes[turn % nodes.length]!,
  "least connections": (nodes) =>
    nodes.reduce((least, node) => node.connections.size < least.connections.size ? node : least),
};

/** Plays seconds with nodes that begin with so many connections each. */
async function simulate(
  start: readonly number[],
  { balancer, seconds }: { readonly balancer: Balancer; readonly seconds: number },
): Promise<{ nodes: readonly SimulatedNode[]; clients: readonly Client[] }> {
  let second = 0;
  let turn = 0;
  const nodes: SimulatedNode[] = [];
  for (const index of start.keys()) {
    nodes.push(new SimulatedNode(index, nodes, () => second * 1000));
  }
  for (const [index, node] of nodes.entries()) {
    for (let i = 0; i < start[index]!; i++) node.connections.set(new Client(), true);
  }
  for (; second < seconds; second++) {
    // Each node tells its number at a time of its own.
    for (const node of nodes) {
      if (second % RENEW_SECONDS === node.index % RENEW_SECONDS) {
        node.published = node.connections.size;
      }
    }
    for (const node of nodes) {
      const before = node.connections.size;
      await node.rebalancing.check();
      const { length } = node.leaving;
      node.sent.push(length);
      assert(length <= Math.max(1, before * 0.01 + 1), `${length} of ${before} in one second`);
    }
    for (const node of nodes) {
      for (const client of node.leaving.splice(0)) {
        node.connections.delete(client);
        client.ended = true;
        // The node that it comes to does not know it.
        const again = new Client(client.format);
        again.moves = client.moves + 1;
        balancer(nodes, turn++).connections.set(again, true);
      }
    }
  }
  return { nodes, clients: nodes.flatMap(({ connections }) => [...connections.keys()]) };
}

for (const [name, balancer] of Object.entries(BALANCERS)) {
  for (
    const start of [
      [1_000, 0],
      [1_000, 0, 0],
      [500, 500, 0],
      [1_000, 0, 0, 0, 0],
      [250, 250, 250, 250, 0],
      [9, 0],
    ]
  ) {
    Deno.test(`Rebalancing: ${start} connections behind ${name} even out, and then rest`, async () => {
      const seconds = start[0]! < 100 ? 1_500 : 600;
      const { nodes, clients } = await simulate(start, { balancer, seconds });
      const mean = clients.length / nodes.length;
      const most = Math.max(...nodes.map(({ connections }) => connections.size));
      assert(most <= Math.max(1.2 * mean, mean + 1), `${most} at most, a mean of ${mean}`);
      const late = nodes.flatMap(({ sent }) => sent.slice(seconds / 2));
      assertEquals(late.filter((count) => count > 0), [], "sent away though all was even");
      for (const [index, node] of nodes.entries()) {
        const total = node.sent.reduce((sum, count) => sum + count, 0);
        if (start[index] === 0) assertEquals(total, 0, `node ${index} got clients, and sent some`);
      }
      // Round robin gives some back to the node that they came from.
      const bound = name === "round robin" ? nodes.length : 1;
      const moves = clients.reduce((sum, client) => sum + client.moves, 0);
      assert(moves <= bound * clients.length, `${moves} moves of ${clients.length} clients`);
    });
  }
}

for (
  const [what, start, reached] of [
    ["sends every client back", [1_000, 0], [0]],
    ["does not reach a node", [500, 500, 0], [0, 1]],
  ] as const
) {
  Deno.test(`Rebalancing: behind a balancer that ${what}, clients are sent away ever more seldom`, async () => {
    const balancer: Balancer = (nodes, turn) => nodes[reached[turn % reached.length]!]!;
    const { nodes, clients } = await simulate(start, { balancer, seconds: 7_200 });
    const sentIn = (from: number, to: number) =>
      nodes.flatMap(({ sent }) => sent.slice(from, to)).reduce((sum, count) => sum + count, 0);
    // Without a pause, 1 % a second would be 36 moves of each client in an hour.
    const [first, second] = [sentIn(0, 3_600), sentIn(3_600, 7_200)];
    assert(first <= 2 * clients.length, `${first} moves of ${clients.length} clients in an hour`);
    assert(second <= clients.length, `${second} moves in the next hour`);
    assert(second > 0, "given up for ever");
  });
}

Deno.test("Rebalancing: a balancer that was repaired evens the nodes out within the next pause", async () => {
  const least = BALANCERS["least connections"]!;
  // So many clients come back before it chooses by load.
  const balancer: Balancer = (nodes, turn) => turn < 700 ? nodes[0]! : least(nodes, turn);
  const { nodes } = await simulate([1_000, 0], { balancer, seconds: 3_600 });
  assert(nodes[0]!.connections.size <= 600, `${nodes[0]!.connections.size} stay`);
});

Deno.test("Rebalancing: a node that comes is tried at once, whatever was learnt before", async () => {
  const clients = Array.from({ length: 1_000 }, () => new Client());
  let view = crowded(1_000);
  const { told, check, last } = alone(clients, () => view());
  await last();
  for (let second = 0; second < 60; second++) await check();
  const before = told.length;
  assertEquals(before, 200, "paused after a fifth");
  view = async () => [...await crowded(1_000)(), {
    ...(await crowded(0)())[0]!,
    id: "new",
    isThis: false,
  }];
  await check();
  assert(told.length > before);
});

function alone(clients: readonly Client[], nodes: () => Promise<readonly NodeInfo[]>) {
  const connections = new Map(clients.map((client) => [client, true]));
  const told: Client[] = [];
  const times: number[] = [];
  let now = 0;
  const rebalancing = new Rebalancing<Client>({
    connections,
    registry: { nodes },
    sendReconnect: (client, retryMs) => {
      told.push(client);
      times.push(retryMs);
    },
    now: () => now,
  });
  const check = async () => {
    now += 1_000;
    await rebalancing.check();
  };
  /** Until the surplus has lasted; the next round tells. */
  const last = async () => {
    for (let second = 0; second < LASTING_SECONDS; second++) await check();
  };
  return { rebalancing, told, times, check, last };
}

const crowded = (connections: number, others = 0) => () =>
  Promise.resolve([connections, others].map((count, index) => ({
    id: String(index),
    isThis: index === 0,
    address: "",
    version: "0",
    since: 0,
    connections: count,
    readySeconds: 60,
  })));

Deno.test("Rebalancing: sends clients of keywire.v1 alone away, the first come first, within a second", async () => {
  const kinds = [PLAIN, SSE, V1, V1];
  const clients = Array.from({ length: 800 }, (_, at) => new Client(kinds[at % 4]!));
  clients[2]!.attached = false; // It reads what it missed.
  const { told, times, check, last, rebalancing } = alone(clients, crowded(clients.length));
  await last();
  assertEquals(told, []);
  await check();
  assertEquals(told, [3, 6, 7, 10, 11, 14, 15, 18].map((at) => clients[at]!));
  assert(times.every((ms) => ms >= 0 && ms <= 1_000), String(times));
  assertEquals(rebalancing.sent, 8);
});

Deno.test("Rebalancing: a client that does not obey is told once", async () => {
  const clients = Array.from({ length: 100 }, () => new Client());
  const { told, check, last } = alone(clients, crowded(clients.length));
  await last();
  for (let second = 0; second < 300; second++) await check();
  assertEquals(new Set(told).size, told.length, "told twice");
  assertEquals(told.length, 60, "paused for one minute, and then for two");
});

Deno.test("Rebalancing: a client that was told counts as gone before it is", async () => {
  const clients = Array.from({ length: 109 }, () => new Client());
  const { told, check, last } = alone(clients, crowded(clients.length, 70));
  await last();
  for (let second = 0; second < 9; second++) await check();
  assertEquals(told.length, 4, "105 and 70 are 1.2 to 0.8");
});

Deno.test("Rebalancing: sends no client away while the nodes are not known, and makes up for nothing", async () => {
  const clients = Array.from({ length: 1_000 }, () => new Client());
  let isKnown = false;
  const { told, check, last } = alone(clients, () => {
    if (!isKnown) return Promise.reject(new PresenceUnavailable("not known"));
    return crowded(clients.length)();
  });
  for (let second = 0; second < 30; second++) await check();
  assertEquals(told.length, 0);
  isKnown = true;
  await last();
  await check();
  assertEquals(told.length, 10);
});

Deno.test("Rebalancing: sends no client to a node that is gone without a word, though it is counted still", async () => {
  const clients = Array.from({ length: 1_000 }, () => new Client());
  let view = crowded(1_000, 500);
  const { told, check } = alone(clients, () => view());
  for (let second = 0; second < DEAD_SECONDS; second++) await check();
  view = async () => (await crowded(1_000)()).slice(0, 1);
  for (let second = 0; second < 30; second++) await check();
  view = crowded(1_000, 500);
  await check();
  assertEquals(told.length, 0);
});

Deno.test("Rebalancing: the log tells once that event streams and plain sockets stay, and never that all is even", async () => {
  await using logged = await Logged.start("rebalancing");
  const clients = Array.from({ length: 200 }, (_, at) => new Client(at % 2 === 0 ? SSE : PLAIN));
  const { told, check, last } = alone(clients, crowded(clients.length));
  await last();
  for (let second = 0; second < 60; second++) await check();
  assertEquals(told, []);
  assertEquals(logged.all, [
    "info: Rebalancing: 80 of 200 connections are above its share",
    "info: Rebalancing: the surplus stays, as no client of keywire.v1 is left to be told",
  ]);
});

Deno.test("Rebalancing: the log tells of each pause how many were sent away in vain, and what to do", async () => {
  await using logged = await Logged.start("rebalancing");
  const clients = Array.from({ length: 1_000 }, () => new Client());
  const { check, last } = alone(clients, crowded(clients.length));
  await last();
  for (let second = 0; second < 60; second++) await check();
  assertEquals(logged.lines("warning").length, 1);
  const [line] = logged.lines("warning");
  assert(line!.startsWith("Rebalancing is of no use: 200 clients were sent away"), line);
  assert(line!.includes("none is sent away for 60 s"), line);
});
