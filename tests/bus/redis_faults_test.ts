import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { configure } from "@logtape/logtape";
import { BusUnavailable } from "../../src/bus/port.ts";
import { RedisBus, type RedisBusOptions } from "../../src/bus/redis.ts";
import { compareIds } from "../../src/core/position.ts";
import { Proxy } from "../support/proxy.ts";
import { RedisServer, startRedis } from "../support/redis.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";
import { Recorder } from "./recorder.ts";

/** A beat every 3 s that is missed after 3 s more, and some slack for a busy machine. */
const NOTICED_MS = 9_000;
/** A wait of 5 s at most between attempts, and a proof. */
const BACK_MS = 12_000;

const logged: string[] = [];
await configure({
  sinks: { memory: (record) => logged.push(`${record.level}: ${record.message.join("")}`) },
  loggers: [{ category: "keywire", sinks: ["memory"], lowestLevel: "debug" }, {
    category: ["logtape", "meta"],
    lowestLevel: "fatal",
  }],
});

together("RedisBus", {
  "waits for a server that is away at start, and says so once": async () => {
    await using server = new RedisServer({ args: ["--requirepass", "sesame"] });
    await using node = open(server.port, { url: `redis://:sesame@127.0.0.1:${server.port}` });
    const lines = () => logged.filter((line) => line.includes(`:${server.port}`));
    await waitFor("the log", () => lines().length > 0);
    await assertRejects(() => node.bus.publish("{}"), BusUnavailable);
    assertStringIncludes(node.bus.unhealthyReason ?? "", "ECONNREFUSED");
    await server.start();
    await hears(node);
    const where = `Redis at 127.0.0.1:${server.port}`;
    assertEquals(lines().length, 3);
    assertMatch(lines()[0] ?? "", new RegExp(`^warning: ${where} has trouble: \\w+: ECONNREFUSED`));
    assertStringIncludes(lines()[1] ?? "", `warning: ${where} refused a publish: CLOSED`);
    assertMatch(lines()[2] ?? "", new RegExp(`^info: ${where} is well again after [\\d.]+ s$`));
    assert(!logged.some((line) => line.includes("sesame")));
    assertEquals(node.recorder.news, []);
  },

  "loses nothing of the stream when Redis is killed and started again": async () => {
    await using server = await startRedis({ appendonly: true });
    await using node = open(server.port);
    await hears(node);
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

  "notices a frozen server, and hears again when it goes on": async () => {
    await using server = await startRedis();
    await using node = open(server.port);
    await hears(node);
    server.freeze();
    await waitFor(
      "unhealthyReason",
      () => node.bus.unhealthyReason?.includes("silent"),
      NOTICED_MS,
    );
    server.thaw();
    await hears(node);
    await server.tell("PUBLISH", "my_channel", "after");
    await server.tell("XADD", "my_stream", "*", "message", "after");
    await node.recorder.heard("message after");
    await node.recorder.heard("entry after");
    assertEquals(node.recorder.news, ["gap channel", "message after", "entry after"]);
  },

  "notices a network that has fallen silent, and loses nothing of the stream in it": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = open(proxy.port);
    await hears(node);
    proxy.hold();
    const started = performance.now();
    await assertRejects(() => node.bus.notify("connected", "key"), BusUnavailable);
    assert(performance.now() - started < 3_000);
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
    await using node = open(proxy.port);
    await hears(node);
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
    await using node = open(proxy.port);
    await hears(node);
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
    await using node = open(proxy.port);
    await hears(node);
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
    await using node = open(proxy.port);
    await hears(node);
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
    assertStringIncludes(node.bus.unhealthyReason ?? "", "silent");
    proxy.rewrite((request) => request);
    await hears(node);
    assertEquals(gaps(node), ["gap channel"]);
  },

  "finds out that its reader is deaf though it is answered, and misses no entry": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = open(proxy.port);
    await hears(node);
    proxy.rewrite((request) =>
      request.includes("xread\r\n") ? request.replace("my_stream", "no_stream") : request
    );
    // The read under way may still take the first entry.
    await append(server, "one");
    await node.recorder.heard("entry one");
    await append(server, "two");
    await node.recorder.heard("entry two");
    assert(logged.some((line) => line.includes(`:${proxy.port}`) && line.includes("trails")));
    proxy.rewrite((request) => request);
    await hears(node);
    assertEquals(node.recorder.news, ["entry one", "entry two"]);
  },

  "builds its reader anew when a read is not answered, and misses no entry": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = open(proxy.port);
    await hears(node);
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
    await using node = open(proxy.port);
    await hears(node);
    const last = await append(server, "seen");
    await node.recorder.heard("entry seen");
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
      await using node = open(proxy.port);
      await hears(node);
      const first = await append(server, "1");
      const second = await append(server, "2");
      await node.recorder.heard("entry 2");
      await server.tell("XDEL", "my_stream", second);
      proxy.cut();
      await waitFor("unhealthyReason", () => node.bus.unhealthyReason !== undefined);
      await hears(node);
      await server.tell("XDEL", "my_stream", first);
      await append(server, "3");
      await node.recorder.heard("entry 3");
      proxy.refuse();
      await append(server, "4");
      await server.tell("XTRIM", "my_stream", "MAXLEN", "2");
      proxy.accept();
      await node.recorder.heard("entry 4", BACK_MS);
      assertEquals(gaps(node).filter((line) => line === "gap stream"), []);
    },

  "says a gap when the stream is flushed while it listens, and goes on with the next": async () => {
    await using server = await startRedis();
    await using node = open(server.port);
    await hears(node);
    const last = await append(server, "seen");
    await node.recorder.heard("entry seen");
    await server.tell("FLUSHALL");
    await node.recorder.heard("gap stream");
    await checks(server, 3);
    const next = await append(server, "next");
    await node.recorder.heard("entry next");
    assertEquals(node.recorder.news, ["entry seen", "gap stream", "entry next"]);
    assert(compareIds(last, node.recorder.gapId ?? "") < 0);
    assert(compareIds(node.recorder.gapId ?? "", next) < 0);
  },

  "says a gap when the stream was replaced by one with lower ids, and goes on with it":
    async () => {
      await using server = await startRedis();
      await using node = open(server.port);
      await hears(node);
      await append(server, "seen");
      await node.recorder.heard("entry seen");
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

  "says a gap when a burst was trimmed before it could be read": async () => {
    await using server = await startRedis();
    await using node = open(server.port);
    await hears(node);
    await append(server, "seen");
    await node.recorder.heard("entry seen");
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
    await using node = open(proxy.port);
    await hears(node);
    proxy.rewrite((request) => {
      if (request.includes("only once")) proxy.cutAfter(3);
      return request;
    });
    await assertRejects(() => node.bus.publish("only once"), BusUnavailable);
    proxy.cutAfter(Infinity);
    await hears(node);
    await node.recorder.heard("entry only once");
    await append(server, "next");
    await node.recorder.heard("entry next");
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
    await append(server, "next");
    await node.recorder.heard("entry next");
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
      await using node = open(server.port);
      await hears(node);
      assertEquals(node.recorder.filledWith, tail);
      await append(server, "live");
      await node.recorder.heard("entry live");
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

  "hears the beats of all nodes at the same places among the messages": async () => {
    await using server = await startRedis();
    await using one = open(server.port, { nodeId: "one", stream: undefined });
    await hears(one);
    await using two = open(server.port, { nodeId: "two", stream: undefined });
    await hears(two);
    const publishing = { on: true };
    const publish = async (node: Node) => {
      for (let at = 0; publishing.on; at++) await node.bus.publish(`${at}`);
    };
    const publishers = [publish(one), publish(two)];
    await waitFor("beats of both", () => two.recorder.beats.length >= 5);
    publishing.on = false;
    await Promise.all(publishers);
    await one.bus.publish("end");
    for (const { recorder } of [one, two]) await recorder.heard("message end");
    const names = ({ recorder: { beats, lines } }: Node) => {
      const rest = [...beats];
      return lines.map((line) => line === "beat" ? `beat ${rest.shift()}` : line);
    };
    const heardByTwo = names(two).filter((line) => line !== "filled");
    const start = names(one).indexOf(heardByTwo[0] ?? "");
    assertEquals(names(one).slice(start), heardByTwo);
    assert(two.recorder.ownBeats > 1 && two.recorder.ownBeats < two.recorder.beats.length);
  },

  "serves a deployment that uses the stream alone, and notices its faults too": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = open(proxy.port, { channel: undefined });
    await hears(node);
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

interface Node extends AsyncDisposable {
  readonly bus: RedisBus;
  readonly recorder: Recorder;
}

function open(port: number, options: Partial<RedisBusOptions> = {}): Node {
  const bus = new RedisBus({
    url: `redis://127.0.0.1:${port}`,
    channel: "my_channel",
    stream: "my_stream",
    prefix: "keywire",
    windowMs: 60_000,
    nodeId: "node",
    ...options,
  });
  const recorder = new Recorder();
  bus.listen(recorder);
  return { bus, recorder, [Symbol.asyncDispose]: () => bus[Symbol.asyncDispose]() };
}

async function hears({ bus }: Node): Promise<void> {
  await waitFor("the bus to hear", () => bus.unhealthyReason === undefined, BACK_MS);
}

/** Appends an envelope as a backend does, after other fields, and returns its id. */
async function append(server: RedisServer, text: string, ...before: string[]): Promise<string> {
  const reply = await server.tell("XADD", "my_stream", "*", ...before, "message", text);
  return reply.split("\r\n")[1] ?? "";
}

/** Waits until the node has looked `times` more whether the stream is as it was. */
async function checks(server: RedisServer, times: number): Promise<void> {
  const count = async () => {
    const stats = await server.tell("INFO", "commandstats");
    return Number(/cmdstat_xrevrange:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  };
  const end = await count() + times;
  await waitFor(`${times} checks`, async () => await count() >= end);
}

function gaps({ recorder }: Node): string[] {
  return recorder.news.filter((line) => line.startsWith("gap"));
}
