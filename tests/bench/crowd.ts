/** What it is when as many clients are there as the machine's descriptors allow. */
import { openBackend } from "../support/redis_client.ts";
import { last, waitFor } from "../support/wait.ts";
import { type Bench, target } from "./bench.ts";
import type { Connected, GeneratorOptions } from "./generator.ts";
import { leastKb, residentKb } from "./idle.ts";
import { MANY } from "./scenario.ts";
import { startGateways, type Subject } from "./subjects/mod.ts";
import { keyOf } from "./templates.ts";

/** Processes on one port, each with as many generators beside it. */
export const CROWD_PROCESSES = 5;
/** Of the descriptors that a process may have, those that clients take. */
const SHARE = 0.9;
/** Clients whose CPU per delivery the crowd's is compared with. */
const FEW = 1_000;
const BODY = "x".repeat(220);

/** A load of messages to everyone, one every so many milliseconds. */
interface Rounds {
  readonly messages: number;
  readonly everyMs: number;
}

/** How many clients one process takes: as many as its descriptors allow. */
export async function clientsPerProcess(): Promise<number> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", "ulimit -Hn"] }).output();
  const limit = Number(new TextDecoder().decode(stdout));
  return Math.min(Number.isNaN(limit) ? 20_000 : Math.floor(limit * SHARE), 20_000);
}

/** CPU per delivery of a message to everyone, with 1,000 clients on one process. */
export async function measureFew(bench: Bench): Promise<Record<string, number>> {
  await using gateways = await startGateways({ redisPort: bench.redis.port, keys: MANY }, 1);
  return await connectAll(bench, { ...target(gateways), counts: [FEW] }, async () => {
    const { cpuUs } = await tellEveryone(bench, gateways, {
      clients: FEW,
      messages: 100,
      everyMs: 50,
    });
    return { cpuUs };
  });
}

/** The longest wait for `/health` while messages go to all the clients of one process, in ms. */
export async function measureHealth(
  bench: Bench,
  clients: number,
  bare?: Subject,
): Promise<Record<string, number>> {
  const surroundings = { redisPort: bench.redis.port, keys: MANY };
  await using running = bare === undefined
    ? await startGateways(surroundings, 1)
    : { ...await bare.start({ ...surroundings, keys: 1 }), everyone: [keyOf(0)] };
  const keys = bare === undefined ? MANY : 1;
  return await connectAll(bench, { ...target(running), counts: [clients], keys }, async () => {
    await rest(running.pids);
    using health = new HealthWatch(running.port);
    await tellEveryone(bench, running, { clients, messages: 10, everyMs: 1_000 });
    return { healthMs: health.longestMs };
  });
}

/** KB a client, and CPU per delivery of a message to everyone, with a full house of processes. */
export async function measureCrowd(
  bench: Bench,
  { perProcess, processes }: { readonly perProcess: number; readonly processes: number },
): Promise<Record<string, number>> {
  const surroundings = { redisPort: bench.redis.port, keys: MANY };
  await using gateways = await startGateways(surroundings, processes);
  const clients = perProcess * processes;
  const before = await residentKb(gateways.pids);
  const counts = Array.from({ length: processes }, () => perProcess);
  return await connectAll(bench, { ...target(gateways), counts }, async () => {
    const kbPerConnection = (await leastKb(gateways.pids) - before) / clients;
    const { cpuUs } = await tellEveryone(bench, gateways, {
      clients,
      messages: 10,
      everyMs: 1_500,
    });
    return { clients, kbPerConnection, cpuUs };
  });
}

/** Connects by as many generators as there are counts, each from an address of its own. */
async function connectAll<T>(
  { generator, redisPid }: Bench,
  { counts, ...to }:
    & Pick<GeneratorOptions, "port" | "clients" | "serverPids">
    & { readonly counts: readonly number[]; readonly keys?: number },
  then: () => Promise<T>,
): Promise<T> {
  const connect = (index: number): Promise<T> => {
    const sockets = counts[index];
    if (sockets === undefined) return then();
    const options = { keys: MANY, ...to, sockets, redisPid, address: index + 1 };
    return generator.connect(options, (_: Connected) => connect(index + 1));
  };
  return await connect(0);
}

/** Publishes to everyone, and gives the CPU that one delivery took, in µs. */
async function tellEveryone(
  { redis }: Bench,
  { pids, everyone, delivered }: {
    readonly pids: readonly number[];
    readonly everyone?: string | readonly string[];
    readonly delivered?: () => Promise<number>;
  },
  { clients, messages, everyMs }: Rounds & { readonly clients: number },
): Promise<{ cpuUs: number }> {
  await using backend = await openBackend(redis.url);
  const envelope = JSON.stringify({ recipients: everyone ?? "*", data: BODY });
  const deliveredBefore = await delivered?.() ?? 0;
  // What the processes take anyhow is not the deliveries'.
  const restsAt = await rest(pids);
  const before = await cpuSeconds(pids);
  const began = performance.now();
  for (let n = 0; n < messages; n++) {
    const start = performance.now();
    await backend.redis.publish("my_channel", envelope);
    await last(Math.max(0, everyMs - (performance.now() - start)));
  }
  const wanted = clients * messages;
  if (delivered !== undefined) {
    await waitFor("all deliveries", async () => {
      return await delivered() - deliveredBefore >= wanted;
    }, 60_000);
  }
  await rest(pids);
  const seconds = (performance.now() - began) / 1000;
  const took = await cpuSeconds(pids) - before - restsAt * seconds;
  return { cpuUs: took / wanted * 1e6 };
}

/** Waits until the processes do next to nothing for two seconds; gives what they take then, in cores. */
async function rest(pids: readonly number[]): Promise<number> {
  for (;;) {
    const before = await cpuSeconds(pids);
    await last(2_000);
    const cores = (await cpuSeconds(pids) - before) / 2;
    if (cores < 0.1 * pids.length) return cores;
  }
}

/** User and system time of processes, in seconds. */
async function cpuSeconds(pids: readonly number[]): Promise<number> {
  const texts = await Promise.all(pids.map((pid) => Deno.readTextFile(`/proc/${pid}/stat`)));
  const ticks = texts.map((text) => {
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, each) => sum + each, 0) / 100;
}

/** Asks `/health` again and again, and keeps the longest wait. */
class HealthWatch implements Disposable {
  longestMs = 0;
  #isOver = false;

  constructor(port: number) {
    this.#run(`http://127.0.0.1:${port}/health`);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
  }

  async #run(url: string): Promise<void> {
    while (!this.#isOver) {
      const start = performance.now();
      const response = await fetch(url).catch(() => undefined);
      await response?.body?.cancel();
      if (!this.#isOver) this.longestMs = Math.max(this.longestMs, performance.now() - start);
      await last(5);
    }
  }
}
