/** Orders from node to node, on a real Redis that fails. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { BusUnavailable } from "../../src/bus/port.ts";
import { Proxy } from "../support/proxy.ts";
import { startRedis } from "../support/redis.ts";
import { addLeastUser } from "../support/redis_acl.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";
import { hears, open, openReady, type RedisNode } from "./redis_node.ts";

together("RedisControl", {
  "hands an order to a node that was cut off when it was given, once": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using cutOff = open(proxy.port, { nodeId: "one" });
    await using other = open(server.port, { nodeId: "two" });
    for (const node of [cutOff, other]) await hears(node);
    await other.bus.disconnect({ recipients: ["before"], keyHashes: [] });
    await cutOff.recorder.heard("disconnect before ");
    proxy.refuse();
    await waitFor("unhealthyReason", () => cutOff.bus.unhealthyReason !== undefined);
    await other.bus.disconnect({ recipients: ["meanwhile"], keyHashes: ["hash"] });
    await other.recorder.heard("disconnect meanwhile hash");
    proxy.accept();
    await cutOff.recorder.heard("disconnect meanwhile hash", 15_000);
    await other.bus.disconnect({ recipients: ["after"], keyHashes: [] });
    await cutOff.recorder.heard("disconnect after ");
    assertEquals(orders(cutOff), orders(other));
    assertEquals(orders(other).length, 3);
  },

  "does not hand an order to a process that started after it": async () => {
    await using server = await startRedis();
    await using earlier = await openReady(server.port, { nodeId: "one" });
    await earlier.bus.disconnect({ recipients: ["early"], keyHashes: [] });
    await earlier.recorder.heard("disconnect early ");
    // What is older than a second by the clock of Redis was certainly given before the start.
    await waitFor("a while", async () => {
      const reply = await server.tell("ZRANGE", "keywire:{control}:kicks", "0", "0", "WITHSCORES");
      const [seconds] = /\d{10}/.exec(await server.tell("TIME")) ?? [];
      return Number(seconds) * 1_000 > Number(/(\d{13})\r\n$/.exec(reply)?.[1]) + 2_000;
    });
    await using later = await openReady(server.port, { nodeId: "two" });
    await later.bus.disconnect({ recipients: ["late"], keyHashes: [] });
    await later.recorder.heard("disconnect late ");
    assertEquals(orders(later), ["disconnect late "]);
  },

  "hears orders where the channel is off, and then tells of no channel": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port, { channel: undefined });
    await node.bus.disconnect({ recipients: ["a"], keyHashes: [] });
    await node.recorder.heard("disconnect a ");
    proxy.cut();
    await waitFor("unhealthyReason", () => node.bus.unhealthyReason !== undefined);
    await hears(node);
    await node.bus.disconnect({ recipients: ["b"], keyHashes: [] });
    await node.recorder.heard("disconnect b ");
    assertEquals(node.recorder.lines, ["filled", "disconnect a ", "disconnect b "]);
  },

  "ignores what it cannot understand on the control channel": async () => {
    await using server = await startRedis();
    await using node = await openReady(server.port);
    const texts = ["", "null", "[]", "{}", "{", '{"type":"disconnect"}', "x".repeat(100)];
    texts.push('{"type":"disconnect","id":1,"recipients":[],"keyHashes":[]}');
    texts.push('{"type":"disconnect","id":"a","recipients":[1],"keyHashes":[]}');
    texts.push('{"type":"else","id":"a","recipients":[],"keyHashes":[]}');
    for (const text of texts) await server.tell("PUBLISH", "{keywire}:control", text);
    await node.bus.disconnect({ recipients: ["a"], keyHashes: [] });
    await node.recorder.heard("disconnect a ");
    assertEquals(node.recorder.news, ["disconnect a "]);
    assertEquals(node.bus.unhealthyReason, undefined);
  },

  "does all that the port promises as a user who may do no more than SECURITY.md says":
    async () => {
      await using server = await startRedis();
      const url = await addLeastUser(server);
      await using node = open(server.port, { url });
      await using channelOnly = open(server.port, { url, stream: undefined, nodeId: "two" });
      for (const { bus } of [node, channelOnly]) {
        await hears({ bus });
        const options = { idempotencyKey: `key ${bus === node.bus}` };
        const id = await bus.publish("{}", options);
        assertEquals(await bus.publish("{}", options), id);
        assert((await bus.cursor()).marker !== undefined);
        await bus.disconnect({ recipients: ["a"], keyHashes: [] });
      }
      // What is undone where Redis refuses the rest is permitted, too.
      await server.tell("DEL", "my_stream");
      await server.tell("SET", "my_stream", "a string");
      const refused = node.bus.publish("{}", { idempotencyKey: "another" });
      await assertRejects(() => refused, BusUnavailable, "WRONGTYPE");
      await waitFor("the orders", () => orders(node).length === 2);
      await waitFor("the messages", () => channelOnly.recorder.lines.includes("message {}"));
      assertEquals(orders(channelOnly).length, 2);
    },

  "leaves nothing in Redis that does not expire": async () => {
    await using server = await startRedis();
    await using node = await openReady(server.port);
    await node.bus.disconnect({ recipients: ["a"], keyHashes: [] });
    await node.bus.publish("{}", { idempotencyKey: "key" });
    const keys = (await server.tell("KEYS", "keywire:*")).match(/keywire:\S+/g) ?? [];
    assertEquals(keys.length, 2);
    for (const key of keys) {
      const ms = Number((await server.tell("PTTL", key)).slice(1));
      assert(ms > 0 && ms <= (key.includes("once") ? 300_000 : 60_000), `${key} ${ms}`);
    }
    assert(keys.some((key) => /^keywire:\{my_stream\}:once:[\w-]{43}$/.test(key)), `${keys}`);
  },
});

function orders({ recorder }: RedisNode): string[] {
  return recorder.lines.filter((line) => line.startsWith("disconnect"));
}
