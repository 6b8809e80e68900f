import { assert, assertEquals } from "@std/assert";
import { NodeHistory } from "../../src/ops/node_history.ts";
import type { NodeInfo } from "../../src/presence/port.ts";

const node = (id: string, connections = 0): NodeInfo => ({
  id,
  isThis: false,
  address: `${id}:8088`,
  version: "1",
  since: 0,
  connections,
});
const START = 1_700_000_000_000;

Deno.test("NodeHistory: keeps a sample each 10 s of each node, for an hour, also of those that are gone", () => {
  using history = new NodeHistory(() => Promise.reject(new Error("no registry")));
  for (let second = 0; second < 4_000; second++) {
    const there = [node("a", second), ...second < 1_000 ? [node("b")] : []];
    history.sample(there, START + second * 1_000);
  }
  const a = history.nodes.get("a")!;
  assertEquals(a.values.size, 360);
  assertEquals([...a.values.values()].at(-1)![0], 3_999);
  const b = history.nodes.get("b")!;
  assert(b.values.size < 100, `${b.values.size} samples of the node that is gone`);
  assertEquals(b.seenAt, START + 999_000);
  history.sample([{ ...node("b"), ageMs: 4_000 }], START + 1_000_000);
  assertEquals(b.seenAt, START + 996_000);
  history.sample([node("a")], START + 5_000_000);
  assertEquals([...history.nodes.keys()], ["a"]);
});

Deno.test("NodeHistory: however many nodes come and go, it remembers 100", () => {
  using history = new NodeHistory(() => Promise.resolve([]));
  for (let id = 0; id < 250; id++) history.sample([node(`${id}`)], START + id * 1_000);
  assertEquals(history.nodes.size, 100);
  assert(history.nodes.has("249") && !history.nodes.has("149"));
});
