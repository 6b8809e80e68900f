/**
 * The protocol of presence under a simulated clock: the real nodes, a simulated Redis and network.
 * MODEL_SEEDS=2000 runs more stories of each mix than the gate does, MODEL_FROM=1 where they begin.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { Lease } from "../../src/presence/lease.ts";
import { Records } from "../../src/presence/records.ts";
import { Shard } from "../../src/presence/shard.ts";
import { Steps } from "../../src/presence/steps.ts";
import type { ScriptRule } from "./simulation/simulated_redis.ts";
import { type Mix, tellStory } from "./simulation/story.ts";
import { World, type WorldOptions } from "./simulation/world.ts";

const SEEDS = Number(Deno.env.get("MODEL_SEEDS") ?? 60);
const FROM = Number(Deno.env.get("MODEL_FROM") ?? 1);
/** How many stories may pass until one shows that a precaution is missing. */
const PATIENCE = 400;

async function run(mix: Mix, seed: number, options: Partial<WorldOptions> = {}): Promise<string[]> {
  const shards = seed % 2 === 0 ? 3 : 1;
  const world = new World({ seed, shards, graceMs: seed % 3 === 0 ? 5_000 : 0, ...options });
  const save = () => {
    for (const { redis } of world.servers) redis.save();
    world.clock.after(700, save);
  };
  save();
  return await tellStory(world, mix);
}

const MIXES: Record<Mix, string> = {
  nodes: "nodes that die, stand still and are cut off, and a Redis that stands still",
  flush: "a Redis that loses everything, and nodes that stand still",
  failover: "masters that lose what they wrote last",
};
for (const [mix, what] of Object.entries(MIXES)) {
  Deno.test(`presence: with ${what}, notices alternate and records equal the truth`, async () => {
    for (let seed = FROM; seed < FROM + SEEDS; seed++) {
      assertEquals(await run(mix as Mix, seed), [], `story ${seed} of ${mix}`);
    }
  });
}

/** Plays stories of `mix` until one goes wrong. */
async function mustFail(mix: Mix, options: Partial<WorldOptions> = {}): Promise<void> {
  for (let seed = 1; seed <= PATIENCE; seed++) {
    if ((await run(mix, seed, options)).length > 0) return;
  }
  throw new Error(`${PATIENCE} stories went well without it`);
}

const SCRIPT_RULES: [WorldOptions["omitted"], Mix][] = [
  ["compares with what was announced", "nodes"],
  ["kills the old connection", "nodes"],
  ["remembers who was reaped", "flush"],
  ["restores what was announced silently", "flush"],
];
for (const [omitted, mix] of SCRIPT_RULES) {
  Deno.test(`presence: stories go wrong unless one ${omitted}`, () => mustFail(mix, { omitted }));
}

Deno.test("presence: stories go wrong unless those who left are remembered for a while", async () => {
  await mustFail("failover", { forgetMs: 0 });
});

type Patch = readonly [{ readonly prototype: object }, string, PropertyDescriptor];
const always = (value: unknown): PropertyDescriptor => ({ get: () => value });
const does = (value: unknown): PropertyDescriptor => ({ value: () => value });
const NODE_RULES: [string, Mix, readonly Patch[]][] = [
  ["only nodes that were themselves in time reap", "nodes", [
    [Lease, "steadyMs", always(Infinity)],
    [Shard, "steadyMs", always(Infinity)],
  ]],
  ["a late node proves its lease before it writes", "nodes", [
    [Lease, "isHeld", always(true)],
    [Lease, "prove", does(true)],
  ]],
  ["notices wait until all have written again", "flush", [[Shard, "inDoubt", always(false)]]],
  ["a mark behind each batch shows a loss", "flush", [[Shard, "agrees", does(true)]]],
  ["a lost registry is written again", "failover", [[Records, "doubt", does(undefined)]]],
  ["all is written again under a new epoch", "nodes", [[Records, "rejoined", does(undefined)]]],
  ["what got no answer is sent again", "nodes", [[Steps, "unanswered", does(undefined)]]],
];
for (const [rule, mix, patches] of NODE_RULES) {
  Deno.test(`presence: stories go wrong unless ${rule}`, async () => {
    const kept = patches.map(([{ prototype }, member]) =>
      Object.getOwnPropertyDescriptor(prototype, member)!
    );
    for (const [{ prototype }, member, other] of patches) {
      Object.defineProperty(prototype, member, { ...other, configurable: true });
    }
    try {
      await mustFail(mix);
    } finally {
      for (const [at, [{ prototype }, member]] of patches.entries()) {
        Object.defineProperty(prototype, member, kept[at]!);
      }
    }
  });
}

/** Two nodes that both hold `r`, and what backends have heard since. */
async function twoNodes(options: Partial<WorldOptions>): Promise<World> {
  const world = new World({ seed: 1, shards: 1, ...options });
  const nodes = [world.addNode(), world.addNode()];
  await world.quiet();
  world.connect(nodes[0]!, "r");
  await world.quiet();
  return world;
}

const heard = (world: World) => world.notices.slice(1).map(({ kind }) => kind);

const SCENES: [string, ScriptRule, Partial<WorldOptions>, (world: World) => Promise<void>][] = [
  [
    "a node that dies within a grace leaves it to be honoured",
    "leaves fields whose deadline lies ahead",
    { graceMs: 40_000 },
    async (world) => {
      const [one, other] = world.nodes as [World["nodes"][number], World["nodes"][number]];
      world.close(one, "r");
      await world.clock.advance(1_000);
      world.kill(one);
      await world.clock.advance(25_000);
      world.connect(other, "r");
      await world.quiet();
      assertEquals(heard(world), []);
      world.close(other, "r");
      await world.quiet(90_000);
      assertEquals(heard(world), ["disconnected"]);
    },
  ],
  [
    "a node that renews its lease as it is about to be reaped goes on",
    "condemns only a lease that has not changed",
    {},
    async (world) => {
      const [{ redis }] = world.servers as [World["servers"][number]];
      const [one] = world.nodes as [World["nodes"][number]];
      one.isFrozen = true;
      redis.before = ([name, key, epoch]) => {
        if (name !== "condemn") return;
        redis.before = () => {};
        redis.run(["renew", key, epoch!, "renew", "{}", 1]);
        one.thaw();
      };
      await world.clock.advance(20_000);
      assertEquals(one.isFrozen, false);
      await world.quiet();
      assertEquals(heard(world), []);
    },
  ],
];
for (const [sentence, omitted, options, play] of SCENES) {
  Deno.test(`presence: ${sentence}`, async () => {
    const world = await twoNodes(options);
    await play(world);
    assertEquals(world.problems, []);
    await assertRejects(async () => {
      const world = await twoNodes({ ...options, omitted });
      await play(world);
      assertEquals(world.problems, []);
    });
  });
}
