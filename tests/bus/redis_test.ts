import { assertEquals } from "@std/assert";
import { Redis } from "ioredis";
import { RedisBus } from "../../src/bus/redis.ts";
import { testBus } from "../contracts/bus_contract.ts";
import { startRedis } from "../support/redis.ts";
import { addLeastUser, deniedToLeastUser } from "../support/redis_acl.ts";

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
