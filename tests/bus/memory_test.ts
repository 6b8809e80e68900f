import { assertEquals } from "@std/assert";
import { MemoryBus } from "../../src/bus/memory.ts";
import { compareIds } from "../../src/core/position.ts";
import { testBus } from "../contracts/bus_contract.ts";
import { Recorder } from "./recorder.ts";

testBus("MemoryBus", ({ stream }) => {
  const notices: string[] = [];
  const bus = new MemoryBus({
    stream,
    nodeId: "node",
    now: Date.now,
    onNotice: (channel, payload) => notices.push(`${channel} ${payload}`),
  });
  return Promise.resolve({
    bus,
    notices,
    [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose](),
  });
});

Deno.test("MemoryBus gives rising ids when the clock stands still or goes back", async () => {
  const times = [1_000, 1_000, 1_000, 999, 1_001];
  await using bus = new MemoryBus({ stream: true, nodeId: "node", now: () => times.shift() ?? 0 });
  const ids = [];
  for (let at = 0; at < 4; at++) ids.push(await bus.publish("{}"));
  assertEquals(ids, ["1000-1", "1000-2", "1000-3", "1001-0"]);
});

Deno.test("MemoryBus begins after everything that an earlier process has given out", async () => {
  let time = 1_000;
  const now = () => time;
  await using earlier = new MemoryBus({ stream: true, nodeId: "earlier", now });
  const id = await earlier.publish("{}");
  time += 1;
  await using later = new MemoryBus({ stream: true, nodeId: "later", now });
  const recorder = new Recorder();
  later.listen(recorder);
  await recorder.heard("filled");
  assertEquals(compareIds(id ?? "", recorder.filledWith ?? "") < 0, true);
});
