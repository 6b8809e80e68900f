/** The bus on more than one Redis: behind Sentinels, and on a Cluster. */
import { assert, assertEquals } from "@std/assert";
import { RedisBus } from "../../src/bus/redis.ts";
import type { SentinelCredentials } from "../../src/core/redis_url.ts";
import { type RedisServer, startRedis, tellRedis } from "../support/redis.ts";
import { startSentinel } from "../support/sentinel.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";
import { Recorder } from "./recorder.ts";

together("RedisBus", {
  "follows a failover of Sentinel, and loses nothing that was replicated": async () => {
    await using master = await startRedis();
    await using replica = await startRedis({
      args: ["--replicaof", "127.0.0.1", `${master.port}`, "--repl-diskless-sync-delay", "0"],
    });
    await using sentinel = await startSentinel(master.port);
    await waitFor("the replica to be known", async () => {
      const info = await tellRedis(sentinel.port, "SENTINEL", "REPLICAS", "mymaster");
      return info.includes(`${replica.port}`) && info.includes("master-link-status\r\n$2\r\nok");
    }, 20_000);
    const recorder = new Recorder();
    await using bus = open(`redis+sentinel://127.0.0.1:${sentinel.port}/mymaster`);
    bus.listen(recorder);
    await hears(bus);
    await bus.publish("before");
    await recorder.heard("entry before");
    await waitFor(
      "the replica",
      async () => (await replica.tell("XLEN", "my_stream")) === ":1\r\n",
    );
    await master.kill();
    await waitFor("unhealthyReason", () => bus.unhealthyReason !== undefined);
    await hears(bus);
    await bus.publish("after");
    await recorder.heard("entry after"); // the sources have no order between them
    await replica.tell("PUBLISH", "my_channel", "after");
    await recorder.heard("message after");
    // A busy machine may take two turns to find the new master, each with a gap.
    const news = recorder.news.filter((what, at, all) => what !== all[at - 1]);
    assertEquals(news, ["entry before", "gap channel", "entry after", "message after"]);
  },

  "follows a planned failover as soon as it is announced, with one gap, however many Sentinels announce it":
    async () => {
      await using master = await startRedis();
      await using replica = await startRedis({
        args: ["--replicaof", "127.0.0.1", `${master.port}`, "--repl-diskless-sync-delay", "0"],
      });
      const user = { username: "guard", password: "sesame" };
      await using one = await startSentinel(master.port, user);
      await using two = await startSentinel(master.port, user);
      for (const sentinel of [one, two]) {
        await waitFor("the replica to be known", async () => {
          const info = await sentinel.tell("SENTINEL", "REPLICAS", "mymaster");
          return info.includes(`${replica.port}`) && info.includes("master-link-status,ok");
        }, 20_000);
      }
      const recorder = new Recorder();
      const hosts = `127.0.0.1:${one.port},127.0.0.1:${two.port}`;
      await using bus = open(`redis+sentinel://${hosts}/mymaster`, "node", user);
      bus.listen(recorder);
      await hears(bus);
      await bus.publish("before");
      await recorder.heard("entry before");
      await two.tell("SENTINEL", "FAILOVER", "mymaster");
      await waitFor("another master", async () => {
        const address = await two.tell("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster");
        return address.endsWith(`,${replica.port}`);
      }, 20_000);
      const announced = performance.now();
      await waitFor("a message of the new master", async () => {
        // Sentinel ends all connections of the replica as it promotes it.
        await replica.tell("PUBLISH", "my_channel", "after").catch(() => {});
        return recorder.lines.includes("message after");
      });
      const ms = performance.now() - announced;
      // Where the announcement is not heard, it takes 10 s.
      assert(ms < 7_000, `It was deaf for ${ms} ms`);
      await hears(bus);
      await waitFor("the other Sentinel to announce it", async () => {
        const address = await one.tell("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster");
        return address.endsWith(`,${replica.port}`);
      }, 20_000);
      await bus.publish("appended after");
      await recorder.heard("entry appended after");
      assertEquals(recorder.news.filter((line) => line.startsWith("gap")), ["gap channel"]);
    },

  "works on a Cluster, whichever node has the stream or the publisher": async () => {
    await using nodes = new AsyncDisposableStack();
    const servers: RedisServer[] = [];
    for (let at = 0; at < 3; at++) {
      servers.push(nodes.use(await startRedis({ args: ["--cluster-enabled", "yes"] })));
    }
    for (
      const [at, [from, to]] of [["0", "5460"], ["5461", "10922"], ["10923", "16383"]].entries()
    ) {
      await servers[at]?.tell("CLUSTER", "ADDSLOTSRANGE", from!, to!);
      await servers[0]?.tell("CLUSTER", "MEET", "127.0.0.1", `${servers[at]?.port}`);
    }
    for (const server of servers) {
      await waitFor("the Cluster", async () => {
        const info = await server.tell("CLUSTER", "INFO");
        return info.includes("cluster_state:ok") && info.includes("cluster_known_nodes:3");
      }, 20_000);
    }
    const url = `redis+cluster://127.0.0.1:1,127.0.0.1:${servers[0]?.port}`;
    const recorders = [new Recorder(), new Recorder()];
    await using one = open(url, "one");
    await using two = open(url, "two");
    one.listen(recorders[0]!);
    two.listen(recorders[1]!);
    for (const bus of [one, two]) await hears(bus);
    await one.publish("appended");
    for (const recorder of recorders) await recorder.heard("entry appended");
    // The key lies in the slot of the stream, whichever node that is.
    const once = { idempotencyKey: "key" };
    const ids = await Promise.all([one, two, one].map((bus) => bus.publish("once", once)));
    assertEquals(new Set(ids).size, 1);
    assertEquals(await two.cursor(), { stream: ids[0]!, marker: undefined, since: 0 });
    await one.disconnect({ recipients: ["a"], keyHashes: [] });
    for (const recorder of recorders) await recorder.heard("disconnect a ");
    for (const recorder of recorders) {
      await recorder.heard("entry once"); // which comes another way than the order
      assertEquals(recorder.news.filter((line) => line === "entry once").length, 1);
    }
    for (const [at, server] of servers.entries()) {
      await server.tell("PUBLISH", "my_channel", `from ${at}`);
      for (const recorder of recorders) await recorder.heard(`message from ${at}`);
    }
    await waitFor("beats", () => recorders.every(({ ownBeats }) => ownBeats > 1));
    // Where nodes hear messages in orders of their own, the beats of others name no place.
    for (const { beats, ownBeats } of recorders) assertEquals(beats.length, ownBeats);
  },
});

function open(url: string, nodeId = "node", sentinel: SentinelCredentials = {}): RedisBus {
  return new RedisBus({
    url,
    sentinel,
    channel: "my_channel",
    stream: "my_stream",
    prefix: "keywire",
    windowMs: 60_000,
    nodeId,
  });
}

async function hears(bus: RedisBus): Promise<void> {
  await waitFor("the bus to hear", () => bus.unhealthyReason === undefined, 30_000);
}
