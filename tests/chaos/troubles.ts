/** The troubles that nodes, Redis and the network between them get into. */
import { last } from "../support/wait.ts";
import type { Phase } from "./chaos.ts";

/** Nothing happens. */
export const calm: Phase = {
  name: "calm",
  run: (_, { phaseMs }) => last(phaseMs),
};

/** A node is killed with -9 and comes back. */
export const nodeKilled: Phase = {
  name: "a node is killed",
  async run(cluster, { phaseMs }) {
    const [node] = cluster.nodes;
    node!.process.kill("SIGKILL");
    await last(phaseMs);
    await cluster.restart(node!);
  },
};

/** Redis is killed with -9 and comes back with its append-only file. */
export const redisKilled: Phase = {
  name: "Redis is killed",
  async run({ redis }, { phaseMs }) {
    await redis.kill();
    await last(phaseMs / 2);
    await redis.start();
  },
};

/** A node stands still, with its connections open, and goes on. */
export const nodeFrozen: Phase = {
  name: "a node is frozen",
  async run({ nodes }, { freezeMs }) {
    const { process } = nodes[1]!;
    process.kill("SIGSTOP");
    await last(freezeMs);
    process.kill("SIGCONT");
  },
};

/** Every connection of a client is cut in the middle of a frame, again and again. */
export const connectionsCut: Phase = {
  name: "connections are cut in mid-frame",
  async run({ balancer }, { phaseMs }) {
    const end = performance.now() + phaseMs;
    while (performance.now() < end) {
      balancer.cutInFrames();
      await last(700);
    }
  },
};

/** The nodes are restarted one after the other, each drained first. */
export const deploy: Phase = {
  name: "a deploy",
  async run(cluster, { phaseMs }) {
    for (const node of cluster.nodes) {
      node.process.kill("SIGTERM");
      await cluster.restart(node);
      await last(phaseMs / 2);
    }
  },
};

/** A node loses its network to Redis, while its clients stay, and then move. */
export const nodeCutOff: Phase = {
  name: "a node is cut off from Redis",
  async run({ nodes, balancer }, { phaseMs }) {
    const { network } = nodes[0]!;
    network.refuse();
    await last(phaseMs / 2);
    balancer.cutInFrames();
    await last(phaseMs / 2);
    network.accept();
  },
};
