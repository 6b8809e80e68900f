/** When presence sends what it owes, under a simulated clock. */
import { assert, assertEquals } from "@std/assert";
import { World } from "./simulation/world.ts";

/** A node whose Redis answers within 4 ms, and when it sends pipelines of records. */
async function openNode() {
  const world = new World({ seed: 1, shards: 1 });
  Object.defineProperty(world, "random", { value: () => 0.5 });
  const node = world.addNode();
  await world.quiet();
  const link = node.links[0]!;
  const send = link.send.bind(link);
  const sentAt: number[] = [];
  link.send = (commands) => {
    if (commands.some(([name]) => name === "put" || name === "announce")) {
      sentAt.push(world.clock.now());
    }
    return send(commands);
  };
  return { world, node, sentAt };
}

Deno.test("ShardQueue: connects that come one by one share pipelines", async () => {
  const { world, node, sentAt } = await openNode();
  for (let at = 0; at < 200; at++) {
    world.connect(node, `r${at}`);
    await world.clock.advance(1);
  }
  await world.clock.advance(100);
  assertEquals(world.notices.length, 200);
  // A round each 50 ms, whose pipeline announces what the one before it has written.
  assert(sentAt.length <= 8, `${sentAt.length} pipelines`);
});

Deno.test("ShardQueue: a connect after a pause is announced at once", async () => {
  const { world, node } = await openNode();
  const at = world.clock.now();
  world.connect(node, "r");
  await world.clock.advance(100);
  // It is named, written and announced, each 4 ms after the other.
  assert(world.notices[0]!.at - at < 12, `announced after ${world.notices[0]!.at - at} ms`);
});

Deno.test("ShardQueue: a batch that is full waits for nothing", async () => {
  for (const [count, waits] of [[499, true], [500, false]] as const) {
    const { world, node, sentAt } = await openNode();
    const at = world.clock.now();
    world.connect(node, "r");
    await world.clock.advance(14); // Its round is over, the next begins 50 ms after it began.
    for (let each = 0; each < count; each++) world.connect(node, `r${each}`);
    await world.clock.advance(1_000);
    assertEquals(world.notices.length, 1 + count);
    assertEquals(sentAt[2]! - at >= 50, waits, `${count} written after ${sentAt[2]! - at} ms`);
  }
});

Deno.test("ShardQueue: who comes back within a round has not been away", async () => {
  const { world, node } = await openNode();
  world.connect(node, "r");
  await world.clock.advance(14);
  world.close(node, "r");
  await world.clock.advance(3);
  world.connect(node, "r");
  await world.quiet();
  assertEquals(world.notices.map(({ kind }) => kind), ["connected"]);
  assertEquals(world.problems, []);
});
