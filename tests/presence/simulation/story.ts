import { type SimulatedNode, TIMING, type World } from "./world.ts";

/** The faults that a story may have; some of them together leave nothing to know the truth from. */
export type Mix = "nodes" | "flush" | "failover";

const RECIPIENTS = ["a", "b", "c", "d", "e"];

/** Lets things happen by chance, with quiet in between, and returns what went wrong. */
export async function tellStory(world: World, mix: Mix, { chapters = 4 } = {}): Promise<string[]> {
  for (let at = 0; at < 3; at++) world.addNode();
  await world.quiet();
  for (let chapter = 0; chapter < chapters && world.problems.length === 0; chapter++) {
    await act(world, mix);
    while (world.nodes.length < 3) world.addNode();
    await world.quiet();
  }
  return world.problems;
}

async function act(world: World, mix: Mix): Promise<void> {
  let hasLost = false;
  let lostAt = Infinity;
  const steps = 4 + Math.floor(world.random() * 16);
  for (let step = 0; step < steps; step++) {
    const node = pick(world, world.nodes);
    if (world.random() < 0.65 || node === undefined) {
      const count = 1 + Math.floor(world.random() * 4);
      for (let at = 0; at < count; at++) {
        const one = pick(world, world.nodes);
        if (one === undefined) break;
        const recipient = pick(world, RECIPIENTS)!;
        if (world.random() < 0.5) world.connect(one, recipient);
        else world.close(one, pick(world, one.sockets) ?? recipient);
      }
    } else if (mix === "nodes") troubleNode(world, node);
    else if (mix === "flush") {
      if (!hasLost && mayFlush(world) && world.random() < 0.4) {
        hasLost = true;
        lostAt = world.clock.now();
        flush(world);
      } else if (world.random() < 0.5) freeze(world, node, hasLost ? 1_000 : Infinity);
      // Before the loss is noticed, a lost reply leaves open what was announced.
      else if (world.clock.now() - lostAt > 5_000) freezeRedis(world);
    } else if (!hasLost && world.random() < 0.3) {
      hasLost = true;
      failOver(world);
    }
    await world.clock.advance(pause(world));
  }
}

function troubleNode(world: World, node: SimulatedNode): void {
  const chance = world.random();
  if (chance < 0.25) return world.kill(node);
  if (chance < 0.5) return freeze(world, node);
  if (chance < 0.7) return freezeRedis(world);
  const ms = world.random() < 0.5 ? 0 : 15_000 * world.random();
  if (ms > 3_000) world.trouble(node);
  pick(world, node.links)!.cut({ ms });
}

function freeze(world: World, node: SimulatedNode, longestMs = Infinity): void {
  if (node.isFrozen) return node.thaw();
  world.trouble(node);
  node.isFrozen = true;
  node.frozenAt = world.clock.now();
  if (longestMs < Infinity) world.clock.after(longestMs * world.random(), () => node.thaw());
}

/**
 * A node that stands still before it has read that its field was written does not know what another
 * announces meanwhile and leaves to it. Lost with everything else, that is known to no node.
 */
function mayFlush({ nodes }: World): boolean {
  return !nodes.some(({ isFrozen, links }) => isFrozen && links.some((link) => link.isAwaited));
}

/**
 * Loses everything. No other node knows what a node had announced, so one that stands still without
 * having been reaped goes on before the others decide; and a part of the masters is lost only while
 * no node stands still.
 */
function flush(world: World): void {
  const frozen = world.nodes.filter(({ isFrozen }) => isFrozen);
  for (const node of frozen) {
    if (world.clock.now() - node.frozenAt > 2 * TIMING.leaseMs) continue;
    world.clock.after(3_000 * world.random(), () => node.thaw());
  }
  const isPart = frozen.length === 0 && world.random() < 0.5;
  for (const { redis } of isPart ? [pick(world, world.servers)!] : world.servers) redis.flush();
}

function freezeRedis(world: World): void {
  const servers = world.random() < 0.5 ? world.servers : [pick(world, world.servers)!];
  for (const server of servers) server.isFrozen = true;
  world.clock.after(25_000 * world.random(), () => {
    for (const server of servers) server.isFrozen = false;
  });
}

/** One master, or all, lose what is not saved. */
function failOver(world: World): void {
  const servers = world.random() < 0.5 ? world.servers : [pick(world, world.servers)!];
  for (const server of servers) {
    server.isDown = true;
    for (const { links } of world.nodes) {
      for (const link of links) if (link.server === server) link.crash();
    }
    server.redis.restart();
    world.clock.after(1_000 * world.random(), () => server.isDown = false);
  }
}

function pause(world: World): number {
  const chance = world.random();
  if (chance < 0.4) return 30 * world.random();
  return chance < 0.8 ? 1_500 * world.random() : 14_000 * world.random();
}

function pick<T>(world: World, list: readonly T[]): T | undefined {
  return list[Math.floor(world.random() * list.length)];
}
