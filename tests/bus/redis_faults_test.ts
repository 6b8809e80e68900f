/** A bus on a real Redis that fails, or is cut off. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { BusUnavailable } from "../../src/bus/port.ts";
import { becomes } from "../support/becomes.ts";
import { Logged } from "../support/logged.ts";
import { Proxy } from "../support/proxy.ts";
import { RedisServer, startRedis } from "../support/redis.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";
import { appendHeard, gaps, hears, open, openReady, type RedisNode } from "./redis_node.ts";

/** A probe every 3 s that is missed after 3 s more, and slack for a busy machine. */
const NOTICED_MS = 20_000;

const logged = await Logged.start();

together("RedisBus", {
  "waits for a server that is away at start, and says so once": async () => {
    await using server = new RedisServer({ args: ["--requirepass", "sesame"] });
    await using node = open(server.port, { url: `redis://:sesame@127.0.0.1:${server.port}` });
    const lines = () => logged.all.filter((line) => line.includes(`:${server.port}`));
    await waitFor("the log", () => lines().length > 0);
    await assertRejects(() => node.bus.publish("{}"), BusUnavailable);
    assertStringIncludes(node.bus.unhealthyReason ?? "", "ECONNREFUSED");
    await server.start();
    await hears(node);
    const where = `Redis at 127.0.0.1:${server.port}`;
    await becomes(() => lines().length, 3);
    assertMatch(lines()[0] ?? "", new RegExp(`^warning: ${where} has trouble: \\w+: ECONNREFUSED`));
    assertStringIncludes(lines()[1] ?? "", `warning: ${where} refused a publish: CLOSED`);
    assertMatch(lines()[2] ?? "", new RegExp(`^info: ${where} is well again after [\\d.]+ s$`));
    assert(!logged.all.some((line) => line.includes("sesame")));
    assertEquals(node.recorder.news, []);
  },

  "logs that entries of the stream may be lost, though Redis was there all the while": async () => {
    await using server = await startRedis();
    await using node = await openReady(server.port, { stream: "short_lived" });
    await server.tell("XADD", "short_lived", "*", "message", "seen");
    await node.recorder.heard("entry seen");
    await server.tell("DEL", "short_lived");
    await node.recorder.heard("gap stream");
    await becomes(() => logged.all.filter((line) => line.includes("short_lived")), [
      "warning: The stream short_lived was trimmed, deleted or replaced before all of it was read: " +
      "clients are told that entries may be lost",
    ]);
  },

  "notices a frozen server, and hears again when it goes on": async () => {
    await using server = await startRedis();
    await using node = await openReady(server.port);
    server.freeze();
    await waitFor(
      "unhealthyReason",
      () => node.bus.unhealthyReason?.includes("silent"),
      NOTICED_MS,
    );
    server.thaw();
    await hears(node);
    await server.tell("PUBLISH", "my_channel", "after");
    await node.recorder.heard("message after");
    await server.tell("XADD", "my_stream", "*", "message", "after");
    await node.recorder.heard("entry after");
    assertEquals(node.recorder.news, ["gap channel", "message after", "entry after"]);
  },

  "notices a network that has fallen silent, and loses nothing of the stream in it": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port);
    proxy.hold();
    const started = performance.now();
    await assertRejects(() => node.bus.notify("connected", "key"), BusUnavailable);
    // Without a bound of its own it would wait for the network.
    assert(performance.now() - started < 10_000);
    await waitFor(
      "unhealthyReason",
      () => node.bus.unhealthyReason?.includes("silent"),
      NOTICED_MS,
    );
    await server.tell("XADD", "my_stream", "*", "message", "meanwhile");
    await server.tell("PUBLISH", "my_channel", "lost");
    proxy.release();
    await hears(node);
    await node.recorder.heard("entry meanwhile");
    assertEquals(node.recorder.news.toSorted(), ["entry meanwhile", "gap channel"]);
  },

  "says that messages were lost before the first that comes after a cut": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port);
    await server.tell("PUBLISH", "my_channel", "before");
    await node.recorder.heard("message before");
    for (let cuts = 0; cuts < 3; cuts++) {
      proxy.cut();
      await waitFor("unhealthyReason", () => node.bus.unhealthyReason !== undefined);
      await hears(node);
    }
    await server.tell("PUBLISH", "my_channel", "after");
    await node.recorder.heard("message after");
    const gap = "gap channel";
    assertEquals(node.recorder.news, ["message before", gap, gap, gap, "message after"]);
  },

  "says one gap when it is cut while it subscribes again": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port);
    let cuts = 0;
    proxy.drop((request) => {
      if (!request.includes("subscribe\r\n") || cuts === 3) return false;
      cuts++;
      proxy.cut();
      return true;
    });
    proxy.cut();
    await waitFor("the third cut", () => cuts === 3);
    await hears(node);
    assertEquals(gaps(node), ["gap channel"]);
  },

  "is in unhealthyReason as long as its SUBSCRIBE is not answered": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port);
    let lost = 0;
    proxy.drop((request) => request.includes("subscribe\r\n") && ++lost > 0);
    proxy.cut();
    await waitFor("two lost SUBSCRIBEs", () => {
      if (lost > 0) assert(node.bus.unhealthyReason !== undefined);
      return lost > 1;
    });
    proxy.drop(() => false);
    await hears(node);
    assertEquals(gaps(node), ["gap channel"]);
  },

  "is in unhealthyReason while it is subscribed, by word of Redis, and hears nothing": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port);
    let deaf = 0;
    proxy.rewrite((request) => {
      if (!request.includes("subscribe\r\n")) return request;
      deaf++;
      return request.replace("my_channel", "no_channel").replace(":control", ":silence");
    });
    proxy.cut();
    await waitFor("a second try", () => {
      if (deaf > 0) assert(node.bus.unhealthyReason !== undefined);
      return deaf > 1;
    });
    await waitFor("a probe to be missed", () => node.bus.unhealthyReason?.includes("silent"));
    proxy.rewrite((request) => request);
    await hears(node);
    assertEquals(gaps(node), ["gap channel"]);
  },

  "hears the beats of all nodes at the same places among the messages": async () => {
    await using server = await startRedis();
    await using one = await openReady(server.port, { nodeId: "one", stream: undefined });
    await using two = await openReady(server.port, { nodeId: "two", stream: undefined });
    const publishing = { on: true };
    const publish = async (node: RedisNode) => {
      for (let at = 0; publishing.on; at++) await node.bus.publish(`${at}`);
    };
    const publishers = [publish(one), publish(two)];
    await waitFor("beats of both", () => two.recorder.beats.length >= 5, 40_000);
    publishing.on = false;
    await Promise.all(publishers);
    await one.bus.publish("end");
    for (const { recorder } of [one, two]) await recorder.heard("message end");
    const names = ({ recorder: { beats, lines } }: RedisNode) => {
      const rest = [...beats];
      return lines.map((line) => line === "beat" ? `beat ${rest.shift()}` : line);
    };
    const heardByTwo = names(two).filter((line) => line !== "filled");
    const start = names(one).indexOf(heardByTwo[0] ?? "");
    assertEquals(names(one).slice(start), heardByTwo);
    assert(two.recorder.ownBeats > 1 && two.recorder.ownBeats < two.recorder.beats.length);
  },

  "finds out that its reader is deaf though it is answered, and misses no entry": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(proxy.port);
    proxy.rewrite((request) =>
      request.includes("xread\r\n") ? request.replace("my_stream", "no_stream") : request
    );
    // The read under way may still take the first entry.
    await appendHeard(server, "one", node);
    await appendHeard(server, "two", node);
    assert(logged.all.some((line) => line.includes(`:${proxy.port}`) && line.includes("trails")));
    proxy.rewrite((request) => request);
    await hears(node);
    assertEquals(node.recorder.news, ["entry one", "entry two"]);
  },
});
