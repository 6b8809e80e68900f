import { assertEquals } from "@std/assert";
import { NodeHistory } from "../../src/ops/node_history.ts";
import { NodeOverview } from "../../src/ops/node_overview.ts";
import type { NodeInfo } from "../../src/presence/port.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { freePort } from "../support/wait.ts";

const SELF: NodeInfo = {
  id: "self-0",
  isThis: true,
  address: "127.0.0.1:1",
  version: "1",
  since: 0,
  connections: 0,
};
/** Another node; nothing listens at its address unless it is given. */
const other = (id: string, told: Partial<NodeInfo> = {}): NodeInfo => ({
  ...SELF,
  id: `${id}-0`,
  isThis: false,
  address: `127.0.0.1:${freePort()}`,
  ...told,
});

/** Reads the rows of one registry after the other, each some seconds later. */
async function read(
  registries: readonly (readonly NodeInfo[] | undefined)[],
  left: readonly string[] = [],
): Promise<readonly (readonly string[])[]> {
  using history = new NodeHistory(() => Promise.resolve([]));
  const told: string[][] = [];
  for (const nodes of registries) {
    const overview = new NodeOverview({
      registry: {
        nodes: () => nodes ? Promise.resolve(nodes) : Promise.reject(new Error("away")),
        hasLeft: (id) => left.includes(id),
      },
      history,
      report: () => SELF,
      nodeId: "self",
    });
    told.push((await overview.rows()).map(({ id, state }) => `${id} ${state}`));
  }
  return told;
}

Deno.test("NodeOverview: a node that has no lease any more is shown as gone, or as stopped where it drained or left by itself", async () => {
  const nodes = [SELF, other("killed"), other("drained", { isDraining: true }), other("left")];
  const [before, after] = await read([nodes, [SELF]], ["left-0"]);
  const rest = ["left-0 ready", "self-0 ready"];
  assertEquals(before?.toSorted(), ["drained-0 draining", "killed-0 ready", ...rest]);
  const gone = ["drained-0 stopped", "killed-0 gone", "left-0 stopped", "self-0 ready"];
  assertEquals(after?.toSorted(), gone);
});

Deno.test("NodeOverview: a node that is started again at its address, or goes on after it was reaped, is one node", async () => {
  const first = other("first", { since: 1 });
  const again = { ...first, id: "second-0", since: 2 };
  const reaped = other("frozen");
  const [, after] = await read([[SELF, first, reaped], [SELF, again, {
    ...reaped,
    id: "frozen-1",
    address: "127.0.0.1:2",
  }]]);
  assertEquals(after?.toSorted(), ["frozen-1 ready", "second-0 ready", "self-0 ready"]);
});

Deno.test("NodeOverview: without the registry this node shows itself, and what others it can reach as unknown", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("ok"),
  );
  const reachable = other("there", { address: `127.0.0.1:${server.addr.port}` });
  const [, after] = await read([[SELF, reachable, other("killed")], undefined]);
  assertEquals(after?.toSorted(), ["killed-0 gone", "self-0 ready", "there-0 unknown"]);
});

Deno.test("NodeOverview: pages that ask at about one time get one answer, and ten minutes later a node that is gone is forgotten", async () => {
  using time = new FakeClock();
  using history = new NodeHistory(() => Promise.resolve([]));
  let asked = 0;
  let nodes = [SELF, other("killed")];
  const overview = new NodeOverview({
    registry: { nodes: () => Promise.resolve((asked++, nodes)), hasLeft: () => false },
    history,
    report: () => SELF,
    nodeId: "self",
  });
  await Promise.all([overview.rows(), overview.rows()]);
  assertEquals(asked, 1);
  nodes = [SELF];
  time.tick(599_000);
  assertEquals((await overview.rows()).length, 2);
  time.tick(2_000);
  assertEquals((await overview.rows()).length, 1);
});
