import { assert, assertEquals } from "@std/assert";
import { items, openSocket } from "./support/clients.ts";
import { startKeywire } from "./support/gateway.ts";
import { startMongodb } from "./support/mongodb.ts";
import { startRedis } from "./support/redis.ts";
import { run } from "./support/run.ts";

const README = await Deno.readTextFile(new URL("../README.md", import.meta.url));

/** The first block of `language` that contains `text`. */
function block(language: string, text: string): string {
  const blocks = README.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm);
  for (const [, name, code] of blocks) {
    if (name === language && code!.includes(text)) return code!;
  }
  throw new Error(`The README has no ${language} block with ${text}`);
}

Deno.test("README: its lines for backends deliver, and its PUBLISH is valid", async (t) => {
  await using redis = await startRedis();
  await using gateway = await startKeywire({ REDIS_URL: redis.url });
  const dir = await Deno.makeTempDir({ prefix: "keywire-readme-" });
  const options = { cwd: dir, env: { REDIS_URL: redis.url, PIP_BREAK_SYSTEM_PACKAGES: "1" } };
  try {
    await t.step("Node", async () => {
      using socket = await openSocket(gateway.url, "demo");
      await Deno.writeTextFile(`${dir}/publish.mjs`, block("js", "redis.xadd"));
      await run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund", "ioredis@6.0.0"],
        options,
      );
      await run(["node", "publish.mjs"], options);
      assertEquals(await items(socket.frames, 1), ['{"hello":"Node"}']);
    });

    await t.step("Python", async () => {
      using socket = await openSocket(gateway.url, "demo");
      await Deno.writeTextFile(`${dir}/publish.py`, block("python", "xadd"));
      await run(
        ["python3", "-m", "pip", "install", "--quiet", "--target", dir, "redis==5.2.1"],
        options,
      );
      await run(["python3", "publish.py"], options);
      assertEquals(await items(socket.frames, 1), ['{"hello": "Python"}']);
    });

    await t.step("redis-cli", async () => {
      for (const command of ["PUBLISH my_channel", "XADD my_stream"]) {
        const key = "00721b2a-046c-4ecc-a5df-5f808cc6c58f";
        using socket = await openSocket(gateway.url, key);
        const line = block("sh", `redis-cli ${command}`).replace(
          "redis-cli",
          `redis-cli -p ${redis.port}`,
        );
        await run(["sh", "-c", line], options);
        const [body] = await items(socket.frames, 1);
        assert(!body!.includes(key));
      }
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("README: its line that adds a key lets that key connect", async () => {
  await using mongodb = await startMongodb();
  const line = block("sh", "deno task add-key").replace("mongodb://localhost:27017", mongodb.url);
  await using gateway = await startKeywire({ MONGODB_URL: mongodb.url });
  const key = "00721b2a-046c-4ecc-a5df-5f808cc6c58f";
  const { pathname: cwd } = new URL("..", import.meta.url);
  await run(["sh", "-c", line.replace("deno task", `${Deno.execPath()} task`)], { cwd });
  using socket = await openSocket(gateway.url, key);
  socket.socket.send("ping");
  assertEquals(await items(socket.frames, 1), ["heartbeat message"]);
});

Deno.test("README: its first curl publishes to the demo key", async () => {
  await using gateway = await startKeywire();
  using socket = await openSocket(gateway.url, "demo");
  const line = block("sh", "curl -sS http://localhost:8088").replace(":8088", `:${gateway.port}`);
  await run(["sh", "-c", `${line.trim()} --fail`]);
  assertEquals(await items(socket.frames, 1), ['{"hello":"world"}']);
});

Deno.test("README: names every setting with the default that the code has", async () => {
  const code = await Deno.readTextFile(new URL("../src/settings/settings.ts", import.meta.url));
  const named = [...code.matchAll(/"([A-Z]{2,}(?:_[A-Z]+)*)"/g)].map(([, name]) => name!);
  assert(named.length > 30, `Only ${named.length} settings were found`);
  for (const name of new Set(named)) {
    assert(README.includes(`\`${name}\``), `The README does not name ${name}`);
  }
});
