/** The scripts on a real Redis do what the simulated ones do, on which the model stands. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { SCRIPTS } from "../../src/presence/redis_scripts.ts";
import type { Command } from "../../src/presence/shard.ts";
import { openBackend } from "../support/redis_client.ts";
import { startRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";
import { SimulatedRedis } from "./simulation/simulated_redis.ts";

const NOW = 1_760_000_000_000;
const epoch = fc.constantFrom("n1", "n2", "n3");
const announcement = fc.constantFrom("", "1 n1", "2 n2");
const withdrawn = fc.constantFrom("", "1 n1", "2 n2", "1 n1,2 n2,3 n33", "1 n11,22 n2");
const deadline = fc.integer({ min: -30_000, max: 30_000 });
const field = fc.oneof(
  fc.integer({ min: 1, max: 3 }).map((sockets) => `${sockets} ${NOW}`),
  deadline.map((ms) => `0 ${NOW} ${NOW + ms}`),
);
const put = fc.tuple(epoch, field, announcement, withdrawn, fc.array(epoch, { maxLength: 2 }))
  .map(([epoch, field, announced, withdrawn, former]): Command => {
    return [
      "put",
      "at",
      epoch,
      field,
      announced,
      withdrawn,
      60_000,
      ...former.filter((each) => each !== epoch),
    ];
  });
const announce = fc.tuple(epoch, fc.integer({ min: 1, max: 9 })).map(([epoch, when]): Command => {
  return ["announce", "at", epoch, `${when} ${epoch}`, "connected", "r"];
});
const mode = fc.constantFrom("own", "reap", "leave");
const remove = fc.tuple(epoch, mode, withdrawn, fc.array(epoch, { maxLength: 1 }))
  .map(([epoch, mode, withdrawn, before]): Command => {
    const to = ["disconnected", "r", 60_000, withdrawn, 16_000] as const;
    const former = before.filter((each) => each !== epoch);
    return ["remove", "at", epoch, mode, NOW, ...to, ...former];
  });
const renew = fc.tuple(epoch, fc.constantFrom("join", "renew"), fc.array(epoch, { maxLength: 1 }))
  .map(([epoch, mode, reaped]): Command => {
    return ["renew", "nodes", epoch, mode, '{"a":1}', 60_000, ...reaped];
  });
const condemn = fc.tuple(epoch, fc.boolean()).map(([epoch, isSeen]): Command => {
  return ["condemn", "nodes", epoch, isSeen ? "seen" : "another"];
});
const end = fc.tuple(epoch, fc.constantFrom("left", "reaped", "condemned"))
  .map(([epoch, how]): Command => ["end", "nodes", epoch, how]);
const mark = fc.constantFrom("a", "b").map((id): Command => {
  return ["mark", "mark", id.repeat(40), "unique", 60_000];
});

Deno.test("SCRIPTS: on Redis they answer, change and publish as the simulated ones do", async () => {
  await using server = await startRedis();
  await using backend = await openBackend(server.url, { channels: ["connected", "disconnected"] });
  const { redis, heard } = backend;
  const commands = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: put },
      announce,
      { weight: 3, arbitrary: remove },
      renew,
      condemn,
      end,
      mark,
    ),
    { minLength: 1, maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(commands, async (commands) => {
      await redis.flushall();
      const before = heard.length;
      const notices: string[] = [];
      const simulated = new SimulatedRedis(() => NOW, ({ kind, recipient }) => {
        notices.push(`${kind} ${recipient}`);
      });
      for (const command of commands) {
        const [name, key, ...args] = await withSeenStamp(
          command,
          (epoch) => redis.hget("nodes", epoch),
        );
        const texts = args.map(String);
        const reply = await redis.call(
          "EVAL",
          SCRIPTS[name as keyof typeof SCRIPTS],
          1,
          key,
          ...texts,
        );
        const other = await withSeenStamp(command, (epoch) => {
          return Promise.resolve(
            (simulated.data.get("nodes") as Map<string, string>)?.get(epoch) ?? null,
          );
        });
        assertEquals(timeless(reply), timeless(simulated.run(other)), JSON.stringify(command));
      }
      for (const key of ["at", "nodes"]) {
        const hash = await redis.call("HGETALL", key);
        const expected = [...simulated.data.get(key) as Map<string, string> ?? []].flat();
        assertEquals(timeless(hash), timeless(expected));
      }
      for (const key of await redis.keys("*")) assertEquals(await redis.pttl(key) > 0, true, key);
      await redis.publish("connected", "done");
      await waitFor("the notices", () => heard.at(-1) === "connected done");
      assertEquals(heard.slice(before, -1), notices);
      await redis.publish("connected", "next");
      await waitFor("the next", () => heard.at(-1) === "connected next");
    }),
    { numRuns: Number(Deno.env.get("SCRIPT_RUNS") ?? 60) },
  );
});

/** Puts the stamp that stands there in the place of "seen". */
async function withSeenStamp(
  command: Command,
  read: (epoch: string) => Promise<string | null>,
): Promise<Command> {
  const [name, key, epoch, seen] = command;
  if (name !== "condemn" || seen !== "seen") return command;
  return ["condemn", key, epoch!, (await read(String(epoch)))?.split(" ")[0] ?? ""];
}

/** A reply with its times taken out and its hashes in order. */
function timeless(reply: unknown): unknown {
  if (!Array.isArray(reply)) {
    return typeof reply === "string" ? reply.replace(/\b(x?)\d{13}\b/g, "$1now") : reply;
  }
  const texts = reply.map(timeless);
  return texts.length > 2 ? texts.map(String).toSorted() : texts;
}

Deno.test("SCRIPTS: a notice that Redis refuses is an error, and changes nothing", async () => {
  await using server = await startRedis();
  await using backend = await openBackend(server.url);
  const { redis } = backend;
  await redis.call("ACL", "SETUSER", "mute", "on", ">x", "~*", "+@all", "resetchannels");
  const run = (name: keyof typeof SCRIPTS, ...args: string[]) => {
    return redis.call("EVAL", SCRIPTS[name], "1", "at", ...args).catch((error) => error.message);
  };
  await run("put", "n1", "1 1", "", "", "60000");
  await redis.call("AUTH", "mute", "x");
  assertEquals(
    /can't publish|NOPERM/.test(String(await run("announce", "n1", "1 n1", "connected", "r"))),
    true,
  );
  assertEquals(await redis.call("HGETALL", "at"), ["n1", "1 1"]);
  await redis.call("HSET", "at", "!", "1 n1");
  const refused = await run("remove", "n1", "own", "1", "disconnected", "r", "60000", "", "1");
  assertEquals(/can't publish|NOPERM/.test(String(refused)), true);
  assertEquals(await redis.call("HGETALL", "at"), ["n1", "1 1", "!", "1 n1"]);
});
