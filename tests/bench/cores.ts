/** What a second process on the same port adds. */
import { type Bench, target } from "./bench.ts";
import { figures } from "./result.ts";
import { SCENARIOS, SOCKETS } from "./scenario.ts";
import { startGateways } from "./subjects/mod.ts";

/** Two for the processes, one for the generator, one for Redis and all else. */
const CORES = 4;
/** Where the processes run: the generator and Redis are on core 1. */
const PINNED = ["0", "2"];

/**
 * The scenario topic on `count` processes that share a port. What they deliver in a second says
 * something only where each has a core: elsewhere there is CPU per delivery alone.
 */
export async function measureCores(
  { generator, redis, redisPid, seconds }: Bench,
  count: 1 | 2,
): Promise<Record<string, number>> {
  const { keys, address, load } = SCENARIOS.find(({ name }) => name === "topic")!;
  const hasCores = navigator.hardwareConcurrency >= CORES;
  await using gateways = await startGateways(
    { redisPort: redis.port, keys },
    count,
    hasCores ? PINNED : ["0"],
  );
  const publishing = gateways.publish(address)!;
  const measured = figures(
    await generator.measure(
      { ...target(gateways), sockets: SOCKETS, keys, redisPid },
      { ...load, publishing, warmup: 1.5, seconds },
    ),
  );
  const { deliveriesPerSecond, cpuUs, ...others } = measured;
  return {
    ...others,
    cpuUs: cpuUs!,
    ...hasCores ? { deliveriesPerSecond: deliveriesPerSecond! } : {},
  };
}
