import { assertEquals } from "@std/assert";
import { Redis } from "ioredis";
import { RedisBus } from "../../src/bus/redis.ts";
import { testBus } from "../contracts/bus_contract.ts";
import { startRedis } from "../support/redis.ts";
import { addLeastUser, deniedToLeastUser } from "../support/redis_acl.ts";
import { openReady } from "./redis_node.ts";

testBus("RedisBus", async ({ stream }) => {
  const server = await startRedis();
  const bus = new RedisBus({
    url: await addLeastUser(server),
    channel: "my_channel",
    stream: stream ? "my_stream" : undefined,
    prefix: "keywire",
    windowMs: 60_000,
    nodeId: "node",
  });
  const backend = new Redis(server.url);
  const notices: string[] = [];
  backend.on("message", (channel, payload) => notices.push(`${channel} ${payload}`));
  await backend.subscribe("connected", "disconnected");
  return {
    bus,
    notices,
    async [Symbol.asyncDispose]() {
      await bus[Symbol.asyncDispose]();
      const denied = await deniedToLeastUser(server);
      await backend.quit();
      await server[Symbol.asyncDispose]();
      assertEquals(denied, [], "SECURITY.md does not permit what the bus does");
    },
  };
});

Deno.test("RedisBus: nodes at two database numbers of one Redis share its channels, and no stream", async () => {
  await using server = await startRedis();
  await using zero = await openReady(server.url);
  await using three = await openReady(`${server.url}/3`, { nodeId: "three" });
  await zero.bus.publish("{}");
  await server.tell("PUBLISH", "my_channel", "shared");
  for (const { recorder } of [zero, three]) await recorder.heard("message shared");
  await zero.recorder.heard("entry {}");
  await three.bus.publish('{"n":3}');
  await three.recorder.heard('entry {"n":3}');
  const entries = [zero, three].map(({ recorder }) =>
    recorder.lines.filter((line) => line.startsWith("entry"))
  );
  assertEquals(entries, [["entry {}"], ['entry {"n":3}']]);
});
