/** A stream on a real Redis that fails. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { BusUnavailable } from "../../src/bus/port.ts";
import { compareIds } from "../../src/core/position.ts";
import { Proxy } from "../support/proxy.ts";
import { RedisServer, startRedis } from "../support/redis.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";
import { append, appendHeard, BACK_MS, gaps, hears, open, openReady } from "./redis_node.ts";

/** A probe every 3 s that is missed after 3 s more, and slack for a busy machine. */
const NOTICED_MS = 20_000;

together("RedisBus, its stream", {
  "loses nothing of the stream when Redis is killed and started again": async () => {
    await using server = await startRedis({ appendonly: true });
    await using node = await openReady(server.port);
    const published: string[] = [];
    const publishing = { on: true };
    const publisher = (async () => {
      for (let at = 0; publishing.on; at++) {
        const id = await node.bus.publish(`${at}`).catch(() => undefined);
        if (id !== undefined) published.push(id);
        else await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    await waitFor("a hundred entries", () => published.length > 100);
    await server.kill();
    await waitFor("unhealthyReason", () => node.bus.unhealthyReason !== undefined, NOTICED_MS);
    const before = published.length;
    await server.start();
    await waitFor("a hundred more", () => published.length > before + 100, BACK_MS);
    publishing.on = false;
    await publisher;
    await hears(node);
    await waitFor("all of them", () => node.recorder.ids.includes(published.at(-1) ?? ""));
    const heard = new Set(node.recorder.ids);
    assertEquals(published.filter((id) => !heard.has(id)), []);
    assertEquals(heard.size, node.recorder.ids.length);
    assertEquals(node.recorder.ids.toSorted(compareIds), node.recorder.ids);
    assertEquals(gaps(node), ["gap channel"]);
  },

  "builds its reader anew when a read is not answered, and misses no entry": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port);
    let lost = 0;
    proxy.drop((request) => request.includes("xread\r\n") && ++lost > 0);
    await waitFor("a lost XREAD", () => lost > 0);
    await server.tell("XADD", "my_stream", "*", "message", "one");
    await waitFor("unhealthyReason", () => node.bus.unhealthyReason !== undefined, NOTICED_MS);
    proxy.drop(() => false);
    await hears(node);
    await node.recorder.heard("entry one");
    assertEquals(node.recorder.news, ["entry one"]);
  },

  "says a gap when the stream was trimmed past it while it was away": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port);
    const last = await appendHeard(server, "seen", node);
    proxy.refuse();
    await append(server, "lost");
    const kept = await append(server, "kept");
    await server.tell("XTRIM", "my_stream", "MAXLEN", "1");
    proxy.accept();
    await node.recorder.heard("entry kept", BACK_MS);
    const news = node.recorder.news.filter((line) => line !== "gap channel");
    assertEquals(news, ["entry seen", "gap stream", "entry kept"]);
    assert(compareIds(last, node.recorder.gapId ?? "") < 0);
    assert(compareIds(node.recorder.gapId ?? "", kept) < 0);
  },

  "says no gap when the stream was trimmed up to it, and when its last entry was deleted":
    async () => {
      await using server = await startRedis();
      await using proxy = new Proxy(server.port);
      await using node = await openReady(proxy.port);
      const first = await append(server, "1");
      const second = await appendHeard(server, "2", node);
      await server.tell("XDEL", "my_stream", second);
      proxy.cut();
      await waitFor("unhealthyReason", () => node.bus.unhealthyReason !== undefined);
      await hears(node);
      await server.tell("XDEL", "my_stream", first);
      await appendHeard(server, "3", node);
      proxy.refuse();
      await append(server, "4");
      await server.tell("XTRIM", "my_stream", "MAXLEN", "2");
      proxy.accept();
      await node.recorder.heard("entry 4", BACK_MS);
      assertEquals(gaps(node).filter((line) => line === "gap stream"), []);
    },

  "says a gap when the stream is flushed while it listens, and goes on with the next": async () => {
    await using server = await startRedis();
    await using node = await openReady(server.port);
    const last = await appendHeard(server, "seen", node);
    await server.tell("FLUSHALL");
    await node.recorder.heard("gap stream");
    await checks(server, 3);
    const next = await appendHeard(server, "next", node);
    assertEquals(node.recorder.news, ["entry seen", "gap stream", "entry next"]);
    assert(compareIds(last, node.recorder.gapId ?? "") < 0);
    assert(compareIds(node.recorder.gapId ?? "", next) < 0);
  },

  "says a gap when the stream was replaced by one with lower ids, and goes on with it":
    async () => {
      await using server = await startRedis();
      await using node = await openReady(server.port);
      await appendHeard(server, "seen", node);
      await server.tell(
        "EVAL",
        "redis.call('DEL', 'my_stream') redis.call('XADD', 'my_stream', '1-1', 'message', 'old')",
        "0",
      );
      await node.recorder.heard("gap stream");
      assertEquals(node.recorder.gapId, "1-1");
      await server.tell("XADD", "my_stream", "1-2", "message", "new");
      await node.recorder.heard("entry new");
      assertEquals(node.recorder.news, ["entry seen", "gap stream", "entry new"]);
    },

  "says a gap when the stream was deleted with what it had not read, and began anew": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port);
    await appendHeard(server, "seen", node);
    // The reader waits for one entry, which is on its way to it when the others come and go.
    await waitFor("the reader to wait at Redis", async () => {
      return (await server.tell("INFO", "clients")).includes("blocked_clients:1");
    });
    proxy.hold();
    for (const text of ["first", "lost", "lost, too"]) await append(server, text);
    await server.tell("DEL", "my_stream");
    await append(server, "next");
    proxy.release();
    await node.recorder.heard("entry next");
    assertEquals(node.recorder.news, ["entry seen", "entry first", "gap stream", "entry next"]);
  },

  "says no gap when a quiet stream is trimmed by age as the next entry comes": async () => {
    await using server = await startRedis();
    await using node = await openReady(server.port);
    for (let at = 0; at < 3; at++) {
      const script = "local id = redis.call('XADD', KEYS[1], '*', 'message', ARGV[1]) " +
        "redis.call('XTRIM', KEYS[1], 'MINID', id)";
      await server.tell("EVAL", script, "1", "my_stream", `${at}`);
      await node.recorder.heard(`entry ${at}`);
    }
    assertEquals(gaps(node), []);
  },

  "says no gap while a short stream grows": async () => {
    await using server = await startRedis();
    await using node = await openReady(server.port);
    for (let at = 0; at < 30; at++) await appendHeard(server, `${at}`, node);
    assertEquals(gaps(node), []);
  },

  "asks nothing more about a short stream whose last entry is there when the next one comes":
    async () => {
      await using server = await startRedis();
      await using node = await openReady(server.port);
      await appendHeard(server, "first", node);
      const before = await calls(server, "xinfo");
      for (let at = 0; at < 30; at++) await appendHeard(server, `${at}`, node);
      assertEquals(await calls(server, "xinfo") - before, 0);
    },

  "says a gap when a burst was trimmed before it could be read": async () => {
    await using server = await startRedis();
    await using node = await openReady(server.port);
    await appendHeard(server, "seen", node);
    await server.tell(
      "EVAL",
      "for i = 1, 5000 do redis.call('XADD', 'my_stream', 'MAXLEN', '2000', '*', 'message', i) end",
      "0",
    );
    await node.recorder.heard("entry 5000");
    const rest = Array.from({ length: 2_000 }, (_, at) => `entry ${at + 3_001}`);
    assertEquals(node.recorder.news, ["entry seen", "gap stream", ...rest]);
  },

  "appends at most once when the reply is lost": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port);
    proxy.rewrite((request) => {
      if (request.includes("only once")) proxy.cutAfter(3);
      return request;
    });
    await assertRejects(() => node.bus.publish("only once"), BusUnavailable);
    proxy.cutAfter(Infinity);
    await hears(node);
    await node.recorder.heard("entry only once");
    await appendHeard(server, "next", node);
    const news = node.recorder.news.filter((line) => line !== "gap channel");
    assertEquals(news, ["entry only once", "entry next"]);
  },

  "goes on when the stream's name holds something else for a while": async () => {
    await using server = await startRedis();
    await server.tell("SET", "my_stream", "a string");
    await using node = open(server.port);
    await waitFor("unhealthyReason", () => node.bus.unhealthyReason?.includes("WRONGTYPE"));
    await server.tell("DEL", "my_stream");
    await hears(node);
    await server.tell("SET", "my_stream", "a string");
    await waitFor("unhealthyReason", () => node.bus.unhealthyReason?.includes("WRONGTYPE"));
    await assertRejects(() => node.bus.publish("{}"), BusUnavailable, "WRONGTYPE");
    await server.tell("DEL", "my_stream");
    await hears(node);
    await appendHeard(server, "next", node);
    assertEquals(node.recorder.news, ["entry next"]);
  },

  "fills its window in pages, with one entry from before it, and hands malformed ones over":
    async () => {
      await using server = await startRedis();
      const now = Date.now();
      for (const [ms, text] of [[now - 90_000, "older"], [now - 70_000, "before"]]) {
        await server.tell("XADD", "my_stream", `${ms}-0`, "message", `${text}`);
      }
      await server.tell(
        "EVAL",
        "for i = 1, 2500 do redis.call('XADD', 'my_stream', ARGV[1] .. '-' .. i, 'message', i) end",
        "0",
        `${now - 1_000}`,
      );
      await server.tell("XADD", "my_stream", "*", "other", "message", "more", "x");
      const tail = await append(server, "tail", "other", "x");
      await using node = await openReady(server.port);
      assertEquals(node.recorder.filledWith, tail);
      await appendHeard(server, "live", node);
      const past = Array.from({ length: 2_500 }, (_, at) => `past ${at + 1}`);
      assertEquals(node.recorder.lines.filter((line) => line !== "beat"), [
        "past before",
        ...past,
        "past no_message_field",
        "past tail",
        "filled",
        "entry live",
      ]);
    },

  "serves a deployment that uses the stream alone, and notices its faults too": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port, { channel: undefined });
    await node.bus.publish("one");
    await node.recorder.heard("entry one");
    proxy.hold();
    await waitFor("unhealthyReason", () => node.bus.unhealthyReason !== undefined, NOTICED_MS);
    await append(server, "two");
    proxy.release();
    await hears(node);
    await node.recorder.heard("entry two");
    assertEquals(node.recorder.lines, ["filled", "entry one", "entry two"]);
  },
});

/** Waits until the node has looked `times` more whether the stream is as it was. */
async function checks(server: RedisServer, times: number): Promise<void> {
  const end = await calls(server, "xrevrange") + times;
  await waitFor(`${times} checks`, async () => await calls(server, "xrevrange") >= end);
}

/** How often `server` got a command. */
async function calls(server: RedisServer, command: string): Promise<number> {
  const stats = await server.tell("INFO", "commandstats");
  const pattern = new RegExp(`cmdstat_${command}(?:\\|stream)?:calls=(\\d+)`);
  return Number(pattern.exec(stats)?.[1] ?? 0);
}
