/** Publishing under an idempotency key, on a real Redis that fails. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { BusUnavailable } from "../../src/bus/port.ts";
import { hashTag } from "../../src/bus/redis_publisher.ts";
import { Proxy } from "../support/proxy.ts";
import { startRedis } from "../support/redis.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";
import { hears, openReady } from "./redis_node.ts";

Deno.test("hashTag: is the part of a name by which a Cluster chooses its slot", () => {
  assertEquals(hashTag("my_stream"), "my_stream");
  assertEquals(hashTag("a{b}c{d}"), "b");
  assertEquals(hashTag("{a{b}"), "a{b");
  assertEquals(hashTag("a{b"), "a{b");
});

together("RedisPublisher", {
  "repeats by itself after a lost reply, and appends once": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port);
    const { bus } = node;
    let lost = 0;
    proxy.rewrite((request) => {
      if (request.includes(":once:") && lost++ === 0) proxy.cutAfter(3);
      else if (lost > 0) proxy.cutAfter(Infinity);
      return request;
    });
    const id = await bus.publish("{}", { idempotencyKey: "key" });
    assert(lost > 1, "the first reply was lost");
    assertEquals(await server.tell("XLEN", "my_stream"), ":1\r\n");
    assert((await server.tell("XRANGE", "my_stream", "-", "+")).includes(id!));
  },

  "says unknown where no reply comes, and a repeat gets the id of the entry": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port);
    const { bus } = node;
    proxy.rewrite((request) => {
      if (request.includes(":once:")) proxy.hold();
      return request;
    });
    const publish = () => bus.publish("{}", { idempotencyKey: "key" });
    const error = await assertRejects(publish, BusUnavailable);
    assertEquals(error.outcome, "unknown");
    proxy.rewrite();
    proxy.release();
    await hears(node);
    const id = await publish();
    assertEquals(await publish(), id);
    assertEquals(await server.tell("XLEN", "my_stream"), ":1\r\n");
  },

  "says refused where Redis says no, and does not remember the key": async () => {
    await using server = await startRedis();
    await using node = await openReady(server.port);
    const { bus } = node;
    const publish = () => bus.publish("{}", { idempotencyKey: "key" });
    await server.tell("SET", "my_stream", "a string");
    const wrongType = await assertRejects(publish, BusUnavailable);
    assertEquals(wrongType.outcome, "refused");
    assertEquals(wrongType.reason.split(":")[0], "WRONGTYPE");
    await server.tell("DEL", "my_stream");
    await server.tell("CONFIG", "SET", "maxmemory", "1");
    const outOfMemory = await assertRejects(publish, BusUnavailable);
    assertEquals([outOfMemory.outcome, outOfMemory.reason.split(":")[0]], ["refused", "OOM"]);
    await server.tell("CONFIG", "SET", "maxmemory", "0");
    assertEquals(await server.tell("KEYS", "*once*"), "*0\r\n");
    await publish();
    assertEquals(await server.tell("XLEN", "my_stream"), ":1\r\n");
  },

  "gets the first id from a Redis that was restarted meanwhile": async () => {
    await using server = await startRedis({ appendonly: true });
    await using node = await openReady(server.port);
    const { bus } = node;
    const first = await bus.publish("{}", { idempotencyKey: "key" });
    await server.kill();
    const repeat = () => bus.publish("{}", { idempotencyKey: "key" }).catch(() => undefined);
    const [id] = await Promise.all([waitFor("an answer", repeat, 20_000), server.start()]);
    assertEquals(id, first);
    assertEquals(await server.tell("XLEN", "my_stream"), ":1\r\n");
  },
});
