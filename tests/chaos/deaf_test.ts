import { assert, assertEquals } from "@std/assert";
import { becomes } from "../support/becomes.ts";
import { openSocket, type SocketClient } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { Proxy } from "../support/proxy.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";
import { isReady } from "./cluster.ts";

/**
 * How soon a fault is noticed, and how soon delivery is back after the cure, in milliseconds: a wait of
 * 5 s at most and a probe of 3 s, and as much again as the machine may be busy.
 */
const SOON_MS = 20_000;
const ENVELOPE = '{"recipients":["demo"],"source":"%"}';

/** A gateway with a client on it, and Redis behind a network that can fail. */
interface Scene extends AsyncDisposable {
  readonly redis: RedisServer;
  readonly network: Proxy;
  readonly gateway: KeywireProcess;
  readonly client: SocketClient;
}

together("A gateway", {
  "is not ready while Redis is frozen, and delivers soon after it goes on": async () => {
    await using scene = await open();
    scene.redis.freeze();
    await noticed(scene);
    scene.redis.thaw();
    await delivers(scene);
  },

  "is not ready while its connections are half-open, and delivers soon after": async () => {
    await using scene = await open();
    scene.network.hold();
    await noticed(scene);
    await publish(scene.redis, "stream");
    scene.network.release();
    await delivers(scene);
    // What came meanwhile to the stream came late, and came.
    await becomes(() => types(scene).filter((type) => type === "stream").length, 2);
  },

  "is not ready while its subscriber is deaf but answers PING, and delivers soon after":
    async () => {
      await using scene = await open();
      scene.network.rewrite((request) =>
        request.includes("subscribe\r\n")
          ? request.replace("my_channel", "no_channel").replace(":control", ":silence")
          : request
      );
      await scene.redis.tell("CLIENT", "KILL", "TYPE", "pubsub");
      await noticed(scene);
      await waitFor("a beat that is missed", async () => {
        const answer = await (await fetch(`${scene.gateway.url}/ready`)).json();
        return answer.status === "deaf" && answer.detail.includes("silent");
      }, SOON_MS);
      scene.network.rewrite((request) => request);
      await delivers(scene);
      const heard = types(scene);
      const gap = heard.indexOf("gap");
      assert(gap >= 0 && gap < heard.indexOf("channel"), `It heard ${heard.join(", ")}`);
    },

  "tells gap to clients that came before it heard Redis, as they may have missed messages since":
    async () => {
      await using redis = await startRedis();
      await using network = new Proxy(redis.port);
      network.refuse();
      const url = `redis://127.0.0.1:${network.port}`;
      const env = { HOST: "127.0.0.1", REDIS_URL: url };
      await using gateway = await startKeywire(env, { ready: false });
      using client = await openSocket(gateway.url, "demo", { v1: true });
      await waitFor("the welcome", () => client.events.length > 0);
      await publish(redis, "stream");
      await publish(redis, "channel");
      network.accept();
      await waitFor("/ready", () => isReady(gateway.url), SOON_MS);
      await waitFor("a word for each source", () => client.events.length === 3);
      assertEquals(client.events.map(({ type }) => type), ["welcome", "gap", "gap"]);
    },

  "says gap for a stream that was trimmed, flushed or replaced, and goes on": async () => {
    await using scene = await open({ REDIS_CHANNEL: "" });
    const { redis, network, client } = scene;
    await publish(redis, "stream");
    await waitFor("the first entry", () => types(scene).includes("stream"));
    const { cursor } = client.events.at(-1)!;

    network.refuse();
    for (let count = 0; count < 3; count++) await publish(redis, "stream");
    await redis.tell("XTRIM", "my_stream", "MAXLEN", "1");
    network.accept();
    await waitFor("the last entry", () => types(scene).length >= 4, SOON_MS);
    assertEquals(types(scene).slice(1), ["stream", "gap", "stream"]);

    await redis.tell("FLUSHALL");
    await waitFor("word of the flush", () => types(scene).length >= 5, SOON_MS);
    await publish(redis, "stream");
    await waitFor("the next entry", () => types(scene).length >= 6, SOON_MS);
    assertEquals(types(scene).slice(4), ["gap", "stream"]);

    await redis.tell("DEL", "my_stream");
    await redis.tell("XADD", "my_stream", "7-1", "message", ENVELOPE.replace("%", "stream"));
    await waitFor("word of another stream", () => types(scene)[6] === "gap", SOON_MS);
    await redis.tell("XADD", "my_stream", "7-2", "message", ENVELOPE.replace("%", "another"));
    await waitFor("an entry of the other", () => types(scene).includes("another"), SOON_MS);

    using back = await openSocket(scene.gateway.url, "demo", { v1: true, after: String(cursor) });
    await waitFor("its welcome", () => back.events.length > 0, 2 * SOON_MS);
    assertEquals(back.events[0]!.recovered, false);
  },
});

async function open(env: Record<string, string> = {}): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const network = stack.use(new Proxy(redis.port));
  const gateway = stack.use(
    await startKeywire({
      HOST: "127.0.0.1",
      REDIS_URL: `redis://127.0.0.1:${network.port}`,
      ...env,
    }),
  );
  const client = stack.use(await openSocket(gateway.url, "demo", { v1: true }));
  await waitFor("the welcome", () => client.events.length > 0);
  const opened = stack.move();
  return { redis, network, gateway, client, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function noticed({ gateway }: Scene): Promise<void> {
  await waitFor("/ready to fail", async () => !await isReady(gateway.url), SOON_MS);
}

/** Both sources are heard again, and `/ready` says so. */
async function delivers(scene: Scene): Promise<void> {
  const end = performance.now() + SOON_MS;
  const left = () => Math.max(0, end - performance.now());
  await publish(scene.redis, "stream");
  await waitFor("a message of the channel", async () => {
    await publish(scene.redis, "channel"); // Redis keeps none for who is not subscribed yet.
    return types(scene).includes("channel");
  }, left());
  await waitFor("an entry of the stream", () => types(scene).includes("stream"), left());
  await waitFor("/ready", () => isReady(scene.gateway.url), left());
}

async function publish(redis: RedisServer, source: "stream" | "channel"): Promise<void> {
  const envelope = ENVELOPE.replace("%", source);
  if (source === "channel") await redis.tell("PUBLISH", "my_channel", envelope);
  else await redis.tell("XADD", "my_stream", "*", "message", envelope);
}

/** What the client heard, in order: the types of events, and of messages their source. */
function types({ client }: Scene): string[] {
  return client.events.map(({ type, message }) =>
    type === "message" ? (message as { source: string }).source : String(type)
  );
}
