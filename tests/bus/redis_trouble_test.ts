/** What Redis refuses, and that it is told by name within 5 s. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { BusUnavailable } from "../../src/bus/port.ts";
import { becomes } from "../support/becomes.ts";
import { Logged } from "../support/logged.ts";
import { Proxy } from "../support/proxy.ts";
import { startRedis } from "../support/redis.ts";
import { addLeastUser } from "../support/redis_acl.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";
import { hears, open, openReady, type RedisNode } from "./redis_node.ts";

/** How soon trouble is to be told. */
const TOLD_MS = 5_000;
/** The same, on a machine that does other things meanwhile. */
const PATIENCE_MS = 4 * TOLD_MS;

const logged = await Logged.start();

together("RedisBus: trouble is told by name", {
  "of a replica, until it is promoted": async () => {
    await using master = await startRedis();
    await using replica = await startRedis({
      args: ["--replicaof", "127.0.0.1", `${master.port}`, "--repl-diskless-sync-delay", "0"],
    });
    await using node = open(replica.url);
    await tells(node, "writes", "READONLY: this Redis is a replica");
    await replica.tell("REPLICAOF", "NO", "ONE");
    await hears(node);
    await node.bus.publish("after");
    await node.recorder.heard("entry after");
  },

  "of a master that is demoted, and of a replica that is writable": async () => {
    await using other = await startRedis();
    await using server = await startRedis({ args: ["--replica-read-only", "no"] });
    await using node = await openReady(server.url);
    await server.tell("REPLICAOF", "127.0.0.1", `${other.port}`);
    await tells(node, "writes", "READONLY: this Redis is a replica");
    await server.tell("CONFIG", "SET", "replica-read-only", "yes");
    await tells(node, "writes", "READONLY: this Redis is a replica");
    await server.tell("REPLICAOF", "NO", "ONE");
    await hears(node);
    await node.recorder.heard("gap channel");
  },

  "of a Redis that refuses writes, and the refusal says why": async () => {
    await using server = await startRedis();
    await using node = await openReady(server.url);
    const faults = {
      OOM: [["maxmemory", "1"], ["maxmemory", "0"]],
      NOREPLICAS: [["min-replicas-to-write", "1"], ["min-replicas-to-write", "0"]],
    } as const;
    for (const [code, [fault, cure]] of Object.entries(faults)) {
      await server.tell("CONFIG", "SET", ...fault);
      await tells(node, "writes", code);
      const error = await assertRejects(() => node.bus.publish("{}"), BusUnavailable);
      assertEquals([error.outcome, error.reason.startsWith(code)], ["refused", true]);
      assertEquals(node.bus.failures.publishes.get(code), 1);
      await server.tell("CONFIG", "SET", ...cure);
      await hears(node);
    }
    assertEquals(node.recorder.news, []);
    assertEquals(await server.tell("EXISTS", "my_stream"), ":0\r\n");
    const lines = () => logged.all.filter((line) => line.includes(`:${server.port}`));
    for (const text of ["trouble: writes: OOM", "refused a publish: NOREPLICAS", "is well again"]) {
      await waitFor(
        () => `${text} in\n${lines().join("\n")}`,
        () => lines().some((line) => line.includes(text)),
      );
    }
  },

  "of a Redis whose ACL does not permit to append": async () => {
    await using server = await startRedis();
    await using node = open(await addLeastUser(server, "-xadd"));
    await tells(node, "writes", "NOPERM");
    await server.tell("ACL", "SETUSER", "keywire", "+xadd");
    await hears(node);
  },

  "of notices that an ACL refuses: logged once, counted, and told until one is taken": async () => {
    await using server = await startRedis();
    const url = await addLeastUser(server, "resetchannels", "&my_channel", "&{keywire}:*");
    await using node = await openReady(url);
    for (let times = 0; times < 3; times++) {
      const error = await assertRejects(() => node.bus.notify("connected", "x"), BusUnavailable);
      assertEquals([error.outcome, error.reason.split(":")[0]], ["refused", "NOPERM"]);
    }
    await tells(node, "notices", "NOPERM");
    assertEquals(node.bus.failures.notices.get("NOPERM"), 3);
    const lines = logged.all.filter((line) =>
      line.includes(`:${server.port}`) && line.includes("refused a notice: NOPERM")
    );
    assertEquals(lines.length, 1);
    await server.tell("ACL", "SETUSER", "keywire", "&connected");
    await node.bus.notify("connected", "x");
    assertEquals(node.bus.unhealthyReason, undefined);
  },

  "of a Redis that loads its data, and it is heard soon after": async () => {
    const args = ["--key-load-delay", "300", "--loading-process-events-interval-bytes", "1024"];
    await using server = await startRedis({ appendonly: true, args });
    const script = "for i = 1, 9000 do redis.call('SET', i, i) end";
    await server.tell("EVAL", script, "0");
    await using node = await openReady(server.url);
    await server.kill();
    const started = server.start();
    await tells(node, "writes", "LOADING: Redis is loading its data");
    await started;
    const from = performance.now();
    await hears(node);
    const ms = performance.now() - from;
    // By itself the client of Redis would wait 10 s.
    assert(ms < 8_000, `It took ${ms} ms`);
  },

  "of a wrong password, until it is the right one": async () => {
    await using server = await startRedis();
    await using node = open(server.url.replace("//", "//keywire:password@"));
    await tells(node, "writes", "WRONGPASS");
    await addLeastUser(server);
    await hears(node);
    assert(!logged.all.some((line) => line.includes("password@")));
  },
});

together("RedisBus: the log", {
  "tells five breaks in a row, and that Redis is well again after each": async () => {
    await using server = await startRedis();
    await using proxy = new Proxy(server.port);
    await using node = await openReady(`redis://127.0.0.1:${proxy.port}`);
    for (let breaks = 0; breaks < 5; breaks++) {
      proxy.cut();
      await waitFor("the break", () => node.bus.unhealthyReason !== undefined);
      await hears(node);
    }
    const lines = () => logged.all.filter((line) => line.includes(`:${proxy.port} `));
    const count = (text: string) => lines().filter((line) => line.includes(text)).length;
    await becomes(() => [count("has trouble: "), count("is well again after ")], [5, 5]);
  },
});

Deno.test("RedisBus.parts: each part has its own reason and the time since when, without hosts", async () => {
  await using server = await startRedis();
  await using node = await openReady(server.url);
  const parts = () => Object.fromEntries(node.bus.parts.map((part) => [part.name, part]));
  assertEquals(Object.keys(parts()), ["channel", "stream", "writes", "notices"]);
  await server.tell("SET", "my_stream", "a string");
  await tells(node, "stream", "WRONGTYPE");
  assertEquals(parts().channel?.reason, undefined);
  const since = parts().stream?.since ?? 0;
  assert(Math.abs(Date.now() - since) < 60_000 && since > (parts().channel?.since ?? 0));
  await server.kill();
  await tells(node, "channel", "E");
  assertEquals(parts().stream?.since, since);
  for (const { reason } of node.bus.parts) {
    assert(!/127\.0\.0\.1|\d{5}/.test(reason ?? ""), reason);
  }
});

/** Waits until a part is told to be in trouble, with a reason that begins with `start`. */
async function tells({ bus }: RedisNode, name: string, start: string): Promise<void> {
  const reason = () => bus.parts.find((part) => part.name === name)?.reason ?? "";
  await waitFor(`${name} to be ${start}`, () => reason().startsWith(start), PATIENCE_MS);
  assertEquals(typeof bus.unhealthyReason, "string");
}
