import { assert, assertEquals } from "@std/assert";
import { items, openEvents, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";

Deno.test("a deploy asks sockets to come back in their time, and streams soon after theirs ended", async () => {
  await using node = await startKeywire({ HOST: "127.0.0.1", DRAIN_SECONDS: "3" });
  using socket = await openSocket(node.url, "demo", { v1: true });
  using stream = await openEvents(node.url, "demo");
  await items(socket.events, 1);
  await items(stream.blocks, 1);
  node.kill("SIGTERM");
  const [, reconnect] = await items(socket.events, 2);
  assertEquals(reconnect!.type, "reconnect");
  assert(Number(reconnect!.retryMs) <= 2_000);
  assertEquals((await socket.closed).code, 1012);
  await stream.ended;
  const retryMs = Number(/retry: (\d+)\n?$/.exec(stream.rest)?.[1]);
  assert(retryMs >= 500 && retryMs <= 2_000, stream.blocks.at(-1));
  assertEquals((await node.ended).code, 0);
});
