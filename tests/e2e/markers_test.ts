/** Markers that are forged, asked for in masses or published again: cursors go on telling the truth. */
import { assert, assertEquals } from "@std/assert";
import { items, openSocket, type SocketClient } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { startRedis } from "../support/redis.ts";
import { type Backend, openBackend } from "../support/redis_client.ts";
import { together } from "../support/together.ts";
import { waitFor } from "../support/wait.ts";

const CONTROL = "{keywire}:control";
const MARKER = /^\{keywire\}:control ([A-Za-z0-9_]+-[0-9a-z]+)$/;
/** How long forged cursors are held against the nodes, in milliseconds. */
const ATTACK_MS = 3_000;

/** Two nodes on one Redis, and a backend that hears their markers. */
interface Scene extends AsyncDisposable {
  readonly nodes: readonly KeywireProcess[];
  readonly backend: Backend;
  /** The markers that were heard so far. */
  markers(): readonly string[];
}

together("Two nodes", {
  "keep older cursors while forged ones lie far ahead, and send few markers for them": async () => {
    await using scene = await open();
    const cursor = await presentCursor(scene);
    await publishFive(scene);
    const [stream, marker, since] = cursor.split("~");
    const forged = [
      `${stream}~${marker}~${Number(since) + 900_000}`,
      `18446744073709551615-0~${marker}~${since}`,
      `18446744073709551615-18446744073709551615~${marker}~${Number(since) + 900_000}`,
    ];
    const before = scene.markers().length;
    const start = performance.now();
    using attackers = new DisposableStack();
    for (const { url } of scene.nodes) {
      for (let times = 0; times < 10; times++) {
        for (const after of forged) {
          attackers.use(await openSocket(url, "demo", { v1: true, after }));
        }
      }
    }
    await waitFor("the end of the attack", () => performance.now() - start > ATTACK_MS);
    // Each node has its own every 3 s; of those that are asked for there is one each 50 ms at most.
    const sent = scene.markers().length - before;
    const ms = performance.now() - start;
    assert(sent < 20 * ms / ATTACK_MS, `${sent} markers in ${ms} ms`);
    await eachNodeResumes(scene, cursor);
  },

  "keep older cursors though 12,000 markers come at once": async () => {
    await using scene = await open();
    const cursor = await presentCursor(scene);
    await publishFive(scene);
    for (let count = 0; count < 12_000; count += 1_000) {
      const pipeline = scene.backend.redis.pipeline();
      for (let at = count; at < count + 1_000; at++) {
        pipeline.publish(CONTROL, `flood-${at.toString(36)}`);
      }
      await pipeline.exec();
    }
    await eachNodeResumes(scene, cursor);
  },

  "give a client what it missed though the marker of its cursor is published again": async () => {
    await using scene = await open();
    const cursor = await presentCursor(scene);
    await publishFive(scene);
    const [, marker = ""] = cursor.split("~");
    await scene.backend.redis.publish(CONTROL, marker);
    // The marker was heard by the time that a message behind it was.
    await publish(scene, 6);
    await eachNodeResumes(scene, cursor, 6);
  },
});

async function open(): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const backend = stack.use(await openBackend(redis.url, { channels: [CONTROL] }));
  const nodes: KeywireProcess[] = [];
  for (let count = 0; count < 2; count++) {
    nodes.push(stack.use(await startKeywire({ REDIS_URL: redis.url })));
  }
  const markers = () => backend.heard.flatMap((line) => MARKER.exec(line)?.[1] ?? []);
  const opened = stack.move();
  return { nodes, backend, markers, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** A cursor that both nodes understand: its marker was heard while both were there. */
async function presentCursor(scene: Scene): Promise<string> {
  const seen = scene.markers().length;
  await waitFor("markers of both nodes", () => {
    const names = scene.markers().slice(seen).map((marker) => marker.split("-")[0]);
    return new Set(names).size === 2;
  });
  using client = await openSocket(scene.nodes[0]!.url, "demo", { v1: true });
  const [welcome] = await items(client.events, 1);
  return String(welcome?.cursor);
}

async function publish({ backend }: Scene, n: number): Promise<void> {
  await backend.redis.publish("my_channel", `{"recipients":["demo"],"n":${n}}`);
}

async function publishFive(scene: Scene): Promise<void> {
  using client = await openSocket(scene.nodes[0]!.url, "demo", { v1: true });
  await items(client.events, 1);
  for (let n = 1; n <= 5; n++) await publish(scene, n);
  await items(client.events, 6);
}

/** Every node gives a client at `cursor` the messages from then on, and says that nothing was lost. */
async function eachNodeResumes(scene: Scene, cursor: string, count = 5): Promise<void> {
  for (const { url } of scene.nodes) {
    using client: SocketClient = await openSocket(url, "demo", { v1: true, after: cursor });
    const [welcome, ...messages] = await items(client.events, 1 + count);
    assertEquals([welcome?.type, welcome?.recovered], ["welcome", true], url);
    const numbers = messages.map(({ message }) => (message as { n: number }).n);
    assertEquals(numbers, Array.from({ length: count }, (_, at) => at + 1), url);
  }
}

Deno.test("A node with its own bus goes on while a cursor is ahead of it that names an unknown marker", async () => {
  await using gateway = await startKeywire();
  const after = "18446744073709551615-0~unknown~0";
  using _forged = await openSocket(gateway.url, "demo", { v1: true, after });
  const signal = AbortSignal.timeout(20_000);
  const health = await fetch(`${gateway.url}/health`, { signal });
  await health.body?.cancel();
  assertEquals(health.status, 200);
});
