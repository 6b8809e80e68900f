import { RedisBus, type RedisBusOptions } from "../../src/bus/redis.ts";
import type { RedisServer } from "../support/redis.ts";
import { waitFor } from "../support/wait.ts";
import { Recorder } from "./recorder.ts";

/** A wait of 5 s at most between attempts, a probe, and slack for a busy machine, in milliseconds. */
export const BACK_MS = 30_000;

/** A bus on a real Redis, and what it hands over. */
export interface RedisNode extends AsyncDisposable {
  readonly bus: RedisBus;
  readonly recorder: Recorder;
}

/** Opens a bus at `server`, a port of 127.0.0.1 or a URL. */
export function open(server: number | string, options: Partial<RedisBusOptions> = {}): RedisNode {
  const bus = new RedisBus({
    url: typeof server === "number" ? `redis://127.0.0.1:${server}` : server,
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

/** The same, once it hears. */
export async function openReady(...args: Parameters<typeof open>): Promise<RedisNode> {
  const node = open(...args);
  await hears(node);
  return node;
}

/** Waits until the bus has no trouble. */
export async function hears({ bus }: Pick<RedisNode, "bus">): Promise<void> {
  await waitFor("the bus to hear", () => bus.unhealthyReason === undefined, BACK_MS);
}

/** Appends an envelope as a backend does, after other fields, and returns its id. */
export async function append(
  server: RedisServer,
  text: string,
  ...before: string[]
): Promise<string> {
  const reply = await server.tell("XADD", "my_stream", "*", ...before, "message", text);
  return reply.split("\r\n")[1] ?? "";
}

/** The same, and waits until `node` heard it. */
export async function appendHeard(
  server: RedisServer,
  text: string,
  node: RedisNode,
): Promise<string> {
  const id = await append(server, text);
  await node.recorder.heard(`entry ${text}`);
  return id;
}

/** The gaps that were told. */
export function gaps({ recorder }: RedisNode): string[] {
  return recorder.news.filter((line) => line.startsWith("gap"));
}
