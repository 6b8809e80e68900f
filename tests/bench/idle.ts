/** What a connection costs while nothing happens. */
import { type Bench, target } from "./bench.ts";
import { MANY } from "./scenario.ts";
import type { Subject } from "./subjects/mod.ts";

/**
 * V8 gives back what connecting left behind after half a minute of quiet, and what the pings of 10,000
 * sockets leave, each quarter of a minute, once or twice in a minute more.
 */
const SETTLE_SECONDS = 120;

/** Clients that come and go before anything is measured. */
const WARM_UP = 200;

/** Resident memory per connection, in KB. */
export async function measureIdle(
  { generator, redis, redisPid }: Bench,
  subject: Subject,
): Promise<Record<string, number>> {
  await using running = await subject.start({ redisPort: redis.port, keys: MANY });
  const options = { ...target(running), sockets: MANY, keys: MANY, redisPid };
  // What the first clients leave behind once, such as compiled code, is no cost of each.
  await generator.connect({ ...options, sockets: WARM_UP }, () => Promise.resolve({}));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const before = await residentKb(running.pids);
  return await generator.connect(options, async () => ({
    kbPerConnection: (await leastKb(running.pids) - before) / MANY,
  }));
}

/** The least that is resident until things have settled. */
export async function leastKb(pids: readonly number[]): Promise<number> {
  let least = Infinity;
  for (let second = 0; second < SETTLE_SECONDS; second++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    least = Math.min(least, await residentKb(pids));
  }
  return least;
}

/** Resident memory of processes, in KB. */
export async function residentKb(pids: readonly number[]): Promise<number> {
  const texts = await Promise.all(pids.map((pid) => Deno.readTextFile(`/proc/${pid}/status`)));
  return texts.reduce((sum, text) => sum + Number(/VmRSS:\s*(\d+)/.exec(text)?.[1]), 0);
}
