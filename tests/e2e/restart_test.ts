/** With the default settings, channel and stream both on: what a restart loses is told of by its source. */
import { assertEquals } from "@std/assert";
import { becomes } from "../support/becomes.ts";
import { items, openEvents, openSocket } from "../support/clients.ts";
import { startKeywire } from "../support/gateway.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { together } from "../support/together.ts";
import { freePort, waitFor } from "../support/wait.ts";

async function append(redis: RedisServer, n: number): Promise<void> {
  await redis.tell("XADD", "my_stream", "*", "message", `{"recipients":["demo"],"n":${n}}`);
}

together(
  "A client hears every entry of the stream, and of the channel alone that it may lack some",
  {
    "when the only node is killed and started again, by WebSocket and by SSE": async () => {
      await using redis = await startRedis();
      const env = { REDIS_URL: redis.url, PORT: `${freePort()}` };
      let after: string;
      {
        await using node = await startKeywire(env);
        using socket = await openSocket(node.url, "demo", { v1: true });
        await append(redis, 1);
        const [, message] = await items(socket.events, 2);
        after = String(message!.cursor);
        node.kill();
        await node.ended;
      }
      await append(redis, 2);
      await append(redis, 3);
      await using node = await startKeywire(env);
      using socket = await openSocket(node.url, "demo", { v1: true, after });
      using stream = await openEvents(node.url, "demo", { lastEventId: after });
      const [welcome, ...messages] = await items(socket.events, 3);
      assertEquals([welcome!.recovered, welcome!.lost], [false, ["channel"]]);
      assertEquals(messages.map(({ message }) => message), [{ n: 2 }, { n: 3 }]);
      assertEquals(await items(stream.messages, 2), ['{"n":2}', '{"n":3}']);
      assertEquals(
        stream.blocks[0]!.includes('data: {"recovered":false,"lost":["channel"]}'),
        true,
      );
    },

    "when Redis is killed and started again with its entries": async () => {
      await using redis = await startRedis({ appendonly: true });
      await using node = await startKeywire({ REDIS_URL: redis.url });
      using socket = await openSocket(node.url, "demo", { v1: true });
      using stream = await openEvents(node.url, "demo");
      await append(redis, 1);
      await items(socket.events, 2);
      await redis.kill();
      await redis.start();
      await append(redis, 2);
      const messages = () => socket.events.flatMap(({ message }) => message ?? []);
      await waitFor("the entry behind the restart", () => messages().length === 2, 30_000);
      await waitFor("the same by SSE", () => stream.messages.length === 2);
      const gap = await waitFor("the gap", () => socket.events.find(({ type }) => type === "gap"));
      assertEquals(gap.source, "channel");
      assertEquals(messages(), [{ n: 1 }, { n: 2 }]);
      // The node's probe is heard by now, so that a gap of the stream had been told.
      await waitFor("the node to be ready", async () => {
        const response = await fetch(`${node.url}/ready`);
        await response.body?.cancel();
        return response.ok;
      }, 30_000);
      const metrics = await node.metrics();
      const gaps = (source: string) => metrics.get(`keywire_gaps_total{source="${source}"}`);
      assertEquals([gaps("channel"), gaps("stream")], [1, 0]);
      const told = () => stream.blocks.filter((block) => block.includes("event: gap"));
      await becomes(
        () => told().map((block) => /^data: (.*)$/m.exec(block)?.[1]),
        ['{"source":"channel"}'],
      );
    },
  },
);
