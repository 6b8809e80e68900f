import { assertEquals } from "@std/assert";
import { nodeState, probe } from "../../src/ops/node_state.ts";
import type { NodeInfo } from "../../src/presence/port.ts";
import { freePort } from "../support/wait.ts";

const NODE: NodeInfo = {
  id: "a-0",
  isThis: false,
  address: "127.0.0.1:1",
  version: "1",
  since: 0,
  connections: 0,
  ageMs: 1_000,
};

Deno.test("probe: nothing listens, one takes the connection and is silent, one answers, one is nowhere", async () => {
  assertEquals(await probe(`127.0.0.1:${freePort()}`), "gone");
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  assertEquals(await probe(`127.0.0.1:${silent.addr.port}`), "frozen");
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("ok"),
  );
  assertEquals(await probe(`127.0.0.1:${server.addr.port}`), "answers");
  for (const nowhere of ["unknown:8088", "", "127.0.0.1"]) {
    assertEquals(await probe(nowhere), "silent");
  }
});

Deno.test("nodeState: a node that renews its lease is what it says", async () => {
  const figures = { status: "deaf" } as NonNullable<NodeInfo["figures"]>;
  assertEquals(await nodeState(NODE), "ready");
  assertEquals(await nodeState({ ...NODE, figures }), "deaf");
  assertEquals(await nodeState({ ...NODE, trouble: "the channel is silent" }), "deaf");
  assertEquals(await nodeState({ ...NODE, figures, isDraining: true }), "draining");
});

Deno.test("nodeState: one whose lease is late is asked at its address, and late for long is cut off", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("ok"),
  );
  const address = `127.0.0.1:${server.addr.port}`;
  assertEquals(await nodeState({ ...NODE, address, ageMs: 5_000 }), "ready");
  assertEquals(await nodeState({ ...NODE, address, ageMs: 8_000 }), "cut_off");
  assertEquals(await nodeState({ ...NODE, address, ageMs: 8_000, isThis: true }), "ready");
  assertEquals(
    await nodeState({ ...NODE, address: `127.0.0.1:${freePort()}`, ageMs: 5_000 }),
    "gone",
  );
});
