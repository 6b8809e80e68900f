/**
 * `deno task test:python`: the client in `clients/python` against real gateways. It takes what it
 * needs from PyPI, so it is no part of `deno task test`.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { MongoClient } from "mongodb";
import { channelChaos } from "../chaos/channel_chaos.ts";
import type { ChaosOptions, PhaseReport } from "../chaos/chaos.ts";
import { streamChaos } from "../chaos/stream_chaos.ts";
import { table } from "../chaos/table.ts";
import { publish } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { blocksOf } from "../support/markdown.ts";
import { startMongodb } from "../support/mongodb.ts";
import { startRedis } from "../support/redis.ts";
import { say } from "../support/say.ts";
import type { Venv } from "../support/venv.ts";
import { freePort, waitFor } from "../support/wait.ts";
import { PythonChaosListener, PythonListener } from "./listener.ts";
import { installClient, pythonVenv } from "./setup.ts";

const CLIENT = new URL("../../clients/python/", import.meta.url).pathname;
const NEWEST = await pythonVenv("newest");
const VENVS = { "the newest websockets": NEWEST, "the oldest": await pythonVenv("oldest") };
for (const venv of Object.values(VENVS)) await installClient(venv);

const CHAOS: ChaosOptions = { clients: 8, rate: 200, phaseMs: 3_000, freezeMs: 6_000 };

async function send(gateway: KeywireProcess, message: Record<string, unknown>): Promise<void> {
  const response = await publish(gateway.url, { recipients: ["demo"], ...message });
  await response.body?.cancel();
  assertEquals(response.status, 202);
}

async function output(program: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(program, { args }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

/** The messages of a listener. */
const heard = (listener: PythonListener) => listener.of("Message").map(({ data }) => data);

for (const [name, venv] of Object.entries(VENVS)) {
  Deno.test(`keywire for Python: passes mypy --strict with ${name}, and is typed for others`, async () => {
    const mypy = [`${venv.bin}/mypy`, "--strict", "--cache-dir=/dev/null"] as const;
    const [program, ...flags] = mypy;
    for (const path of [`${CLIENT}src/keywire`, `${CLIENT}example.py`]) {
      assertStringIncludes(await output(program, ...flags, path), "Success");
    }
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/a.py`, 'import keywire\nkeywire.Keywire("ws://a", 1)\n');
    assertStringIncludes(await output(program, ...flags, `${folder}/a.py`), "arg-type");
    await Deno.remove(folder, { recursive: true });
  });

  Deno.test(`keywire for Python: keeps its word in every corner with ${name}`, async () => {
    await using gateway = await startKeywire();
    const corners = new URL("corners.py", import.meta.url).pathname;
    const args = ["-X", "dev", "-W", "error", corners, gateway.url];
    const { success, stderr } = await new Deno.Command(`${venv.bin}/python`, { args }).output();
    assert(success, new TextDecoder().decode(stderr));
  });

  Deno.test(`keywire for Python: loses nothing and doubles nothing under chaos with ${name}`, async () => {
    await chaos(venv, async (options) => {
      const stream = await streamChaos(options);
      await say(table("Stream", stream));
      assertSound(stream);
      for (const { name, lossesTold, words } of stream) {
        assertEquals([lossesTold, words.gap, words["not recovered"]], [0, 0, 0], name);
        if (name !== "calm" && name !== "Redis is killed") assert(words.recovered > 0, name);
      }
    });
  });
}

Deno.test("keywire for Python: tells of each loss of the channel, and doubles nothing", async () => {
  await chaos(NEWEST, async (options) => {
    const channel = await channelChaos(options);
    await say(table("Channel", channel));
    assertSound(channel);
    assert(channel.some(({ lossesTold }) => lossesTold > 0), "no trouble was worth its name");
  });
});

async function chaos(venv: Venv, run: (options: ChaosOptions) => Promise<void>): Promise<void> {
  await using processes = new AsyncDisposableStack();
  await run({
    ...CHAOS,
    listen: (url, options) => new PythonChaosListener({ venv, processes }, url, options),
  });
}

function assertSound(phases: readonly PhaseReport[]): void {
  assert(phases.reduce((sum, { messages }) => sum + messages, 0) > 2_000, "too few messages");
  for (const { name, messages, silentLosses, doubles, disorders } of phases) {
    assert(messages > 0, `${name}: nothing was published`);
    assertEquals([silentLosses, doubles, disorders], [0, 0, 0], name);
  }
}

Deno.test("keywire for Python: reads awkward messages as they were written", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "schlüssel/+?" });
  await using listener = new PythonListener(NEWEST, { url: gateway.url, keys: ["schlüssel/+?"] });
  await listener.until("Welcome");
  const texts = [
    '"\u2028 line\u0085separators \u{1f600}"',
    "12345678901234567890",
    `"${"x".repeat(200_000)}"`,
    "[[[[[[[[[[]]]]]]]]]]",
  ];
  for (const text of texts) await publish(gateway.url, `{"recipients":"*","a":${text}}`);
  // Python reads no such number, and must go on.
  await publish(gateway.url, `{"recipients":"*","a":${"1".repeat(5_000)}}`);
  await publish(gateway.url, '{"recipients":"*","a":"last"}');
  await listener.until("Message", 5);
  // JSON.parse of JavaScript rounds 12345678901234567890, too.
  assertEquals(heard(listener), [...texts, '"last"'].map((text) => ({ a: JSON.parse(text) })));
  assertStringIncludes(listener.log, "Skipped an event");
});

Deno.test("keywire for Python: goes on from the cursor of an earlier process", async () => {
  await using gateway = await startKeywire();
  const options = { url: gateway.url, keys: ["demo"] };
  let cursor: string;
  {
    await using listener = new PythonListener(NEWEST, options);
    await listener.until("Welcome");
    await send(gateway, { n: 1 });
    cursor = (await listener.until("Message")).cursor!;
  }
  await send(gateway, { n: 2 });
  await using listener = new PythonListener(NEWEST, { ...options, cursor });
  await listener.until("Message");
  const [welcome] = listener.of("Welcome");
  assertEquals([welcome!.recovered, heard(listener)], [true, [{ n: 2 }]]);

  await using lost = new PythonListener(NEWEST, { ...options, cursor: "nonsense" });
  await lost.until("Welcome");
  const told = lost.lines.map(({ kind, sources, lost }) => ({ kind, lost: sources ?? lost }));
  const both = ["channel", "stream"];
  assertEquals(told, [{ kind: "Gap", lost: both }, { kind: "Welcome", lost: both }]);
});

Deno.test("keywire for Python: loses nothing where each wait is cut short", async () => {
  await using gateway = await startKeywire();
  const options = { url: gateway.url, keys: ["demo"], every: 0.003 };
  await using listener = new PythonListener(NEWEST, options);
  await listener.until("Welcome");
  const numbers = Array.from({ length: 1_000 }, (_, n) => n);
  for (const n of numbers) await send(gateway, { n });
  await listener.until("Message", numbers.length);
  assertEquals(heard(listener), numbers.map((n) => ({ n })));
});

Deno.test("keywire for Python: asks a quiet connection, and gives a silent one up", async () => {
  const port = freePort();
  await using gateway = await startKeywire({ PORT: `${port}`, DRAIN_SECONDS: "0" });
  const options = { url: gateway.url, keys: ["demo"], ping_interval: 1, min_delay: 0.05 };
  await using patient = new PythonListener(NEWEST, options);
  await using hasty = new PythonListener(NEWEST, { ...options, every: 0.05 });
  const listeners = [patient, hasty];
  for (const listener of listeners) await listener.until("Welcome");
  await new Promise((resolve) => setTimeout(resolve, 3_500)); // several intervals
  for (const { lines, log } of listeners) assertEquals([lines.length, log], [1, ""]);
  gateway.kill("SIGSTOP");
  for (const listener of listeners) {
    await waitFor("it to give up", () => listener.log.includes("the server is silent"));
  }
  gateway.kill("SIGCONT");
  for (const listener of listeners) {
    assertEquals((await listener.until("Welcome", 2)).recovered, true);
  }
});

Deno.test("keywire for Python: an unknown and a revoked key end it, with the code", async () => {
  await using gateway = await startKeywire();
  await using unknown = new PythonListener(NEWEST, { url: gateway.url, keys: ["no-such-key"] });
  const { code, reason } = await unknown.until("Refused");
  assertEquals(code, 403);
  assertStringIncludes(reason!, "the key is not known");
  assert(!(unknown.log + reason).includes("no-such-key"), "the key must not be logged");

  await using revoked = new PythonListener(NEWEST, { url: gateway.url, keys: ["demo"] });
  await revoked.until("Welcome");
  await disconnect(gateway);
  const ending = await revoked.until("Refused");
  assertEquals([ending.code, ending.reason], [4403, "revoked"]);
});

async function disconnect(gateway: KeywireProcess): Promise<void> {
  const response = await fetch(`${gateway.url}/api/disconnect`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ recipients: ["demo"] }),
  });
  assertEquals([response.status, await response.text()], [202, "{}"]);
}

Deno.test("keywire for Python: a function may have another key, and is not asked for ever", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "demo,second" });
  const listen = (...keys: (string | null)[]) =>
    new PythonListener(NEWEST, { url: gateway.url, keys, min_delay: 0.05 });
  const endings: unknown[] = [];
  for (const keys of [["a", "a", "demo"], ["a", "b", "demo"], ["a", null], [null, "demo"]]) {
    await using listener = listen(...keys);
    const { code } = await listener.until("Refused");
    endings.push([code, listener.of("asked").length, listener.of("Welcome").length]);
  }
  assertEquals(endings, [[403, 2, 0], [403, 2, 0], [403, 2, 0], [0, 1, 0]]);

  await using other = listen("unknown", "demo", "second");
  await other.until("Welcome");
  await disconnect(gateway);
  await other.until("Welcome", 2);
  assertEquals(other.of("asked").length, 3);
});

Deno.test("keywire for Python: a key that expires in MongoDB ends it with 4403", async () => {
  await using mongodb = await startMongodb();
  await using client = new MongoClient(mongodb.url);
  const keys = client.db("python").collection<{ _id: string; until: Date }>("myCollection");
  await keys.insertOne({ _id: "k", until: new Date(Date.now() + 3_600_000) });
  await using gateway = await startKeywire({
    MONGODB_URL: mongodb.url,
    MONGODB_DATABASE: "python",
    MONGODB_EXPIRES_FIELD: "until",
    REVALIDATE_SECONDS: "1",
  });
  await using listener = new PythonListener(NEWEST, { url: gateway.url, keys: ["k"] });
  await listener.until("Welcome");
  await keys.updateOne({ _id: "k" }, { $set: { until: new Date(Date.now() - 1_000) } });
  assertEquals((await listener.until("Refused")).code, 4403);
});

for (const [limit, status] of [["MAX_CONNECTIONS", 503], ["MAX_CONNECTIONS_PER_KEY", 429]]) {
  Deno.test(`keywire for Python: obeys Retry-After of ${status}, and comes back when there is room`, async () => {
    await using gateway = await startKeywire({ [limit as string]: "1" });
    await using first = new PythonListener(NEWEST, { url: gateway.url, keys: ["demo"] });
    await first.until("Welcome");
    const options = { url: gateway.url, keys: ["demo"], min_delay: 0.01, max_delay: 0.01 };
    await using second = new PythonListener(NEWEST, options);
    await waitFor("the refusal", () => second.log.includes(`answered ${status}`));
    const waits = waitsOf(second);
    assert(waits.length > 0 && waits.every((seconds) => seconds >= 1), second.log);
    first.kill();
    await second.until("Welcome");
  });
}

/** How long it waited before each attempt, in seconds. */
function waitsOf({ log }: PythonListener): number[] {
  return [...log.matchAll(/back in ([\d.]+) s/g)].map(([, seconds]) => Number(seconds));
}

Deno.test("keywire for Python: waits for longest after it sent too much, and resumes", async () => {
  await using gateway = await startKeywire();
  const options = { url: gateway.url, keys: ["demo"], min_delay: 0.001, max_delay: 2, floods: 3 };
  await using listener = new PythonListener(NEWEST, options);
  await listener.until("Welcome", 4);
  assertEquals(listener.log.match(/closed with 4429 too many messages/g)?.length, 3);
  // Without the rule each would wait below a millisecond; with it three are hardly ever so short.
  assert(Math.max(...waitsOf(listener)) >= 0.1, listener.log);
  assert(listener.of("Welcome").slice(1).every(({ recovered }) => recovered));
});

Deno.test("keywire for Python: leaves a draining node, and resumes on its successor", async () => {
  await using redis = await startRedis();
  const env = {
    REDIS_URL: redis.url,
    REDIS_CHANNEL: "", // a node that is new has no past of the channel
    EMBEDDED_KEYS: "demo",
    PORT: `${freePort()}`,
    HOST: "127.0.0.1",
    API_TOKEN: "a-token-of-the-tests-of-the-python-client",
  };
  const append = (n: number) =>
    redis.tell("XADD", "my_stream", "*", "message", `{"recipients":["demo"],"n":${n}}`);
  await using node = await startKeywire({ ...env, DRAIN_SECONDS: "2" });
  await using listener = new PythonListener(NEWEST, {
    url: node.url,
    keys: ["demo"],
    min_delay: 0.1,
    max_delay: 0.5,
  });
  await listener.until("Welcome");
  await append(1);
  await listener.until("Message");
  node.kill("SIGTERM");
  await node.ended;
  await append(2);
  await using _successor = await startKeywire(env);
  await listener.until("Message", 2);
  assertEquals(heard(listener), [{ n: 1 }, { n: 2 }]);
  assertEquals((await listener.until("Welcome", 2)).recovered, true);
});

Deno.test("keywire for Python: the program of its README hears, and so does its example", async () => {
  const [program] = blocksOf(await Deno.readTextFile(`${CLIENT}README.md`)).filter(
    ({ language }) => language === "python",
  );
  await using gateway = await startKeywire();
  const code = program!.code.replace("http://localhost:8088", gateway.url);
  assert(code !== program!.code);
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(`${folder}/readme.py`, code);
  for (const args of [[`${folder}/readme.py`], [`${CLIENT}example.py`, gateway.url]]) {
    const child = new Deno.Command(`${NEWEST.bin}/python`, {
      args,
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    let text = "";
    const reading = child.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
      new WritableStream({ write: (part) => void (text += part) }),
    );
    await waitFor("the program to print", async () => {
      await send(gateway, { hello: "world" });
      return text.includes("{'hello': 'world'}");
    });
    child.kill("SIGTERM");
    await child.status;
    await reading;
  }
  await Deno.remove(folder, { recursive: true });
});
