import { type KeywireProcess, startKeywire } from "../../support/gateway.ts";
import { freePort } from "../../support/wait.ts";
import { type Clients, SERVER_CORE } from "../generator.ts";
import { keyOf } from "../templates.ts";
import type { RunningSubject, Subject, Surroundings } from "./port.ts";
import { eventStream, PLAIN, publishOnChannel, V1 } from "./shapes.ts";

/** Keywire's own three ways out. */
export const keywire: readonly Subject[] = [
  keywireWith("keywire", "Keywire, plain WebSocket", PLAIN),
  keywireWith("keywire-v1", "Keywire, `keywire.v1`", V1),
  keywireWith("keywire-sse", "Keywire, SSE", eventStream(1)),
];

function keywireWith(name: string, title: string, clients: Clients): Subject {
  return {
    name,
    title,
    prepare: () => Promise.resolve(),
    start: (surroundings) => startGateway(surroundings, clients),
  };
}

/** Starts a gateway that knows the generator's keys, or, by `env`, asks a key store. */
export async function startGateway(
  { redisPort, keys }: Surroundings,
  clients: Clients,
  env: Record<string, string> = {},
): Promise<RunningSubject> {
  const gateway = await startKeywire({
    HOST: "127.0.0.1",
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    REDIS_STREAM: "",
    EMBEDDED_KEYS: Array.from({ length: keys }, (_, index) => keyOf(index)).join(),
    MAX_CONNECTIONS_PER_KEY: "100000",
    LOG_LEVEL: "warning",
    ...env,
  }, { prefix: ["taskset", "-c", SERVER_CORE] });
  return {
    port: gateway.port,
    pids: [gateway.pid],
    clients,
    publish: publishOnChannel(redisPort),
    [Symbol.asyncDispose]: () => gateway[Symbol.asyncDispose](),
  };
}

/** Gateways that share a port, for clients of `keywire.v1`. */
export interface RunningGateways extends RunningSubject {
  /** How many messages they have delivered since their start, all together. */
  delivered(): Promise<number>;
}

/** Starts `count` processes on one port, each by turns on one of `cores`. */
export async function startGateways(
  { redisPort, keys }: Surroundings,
  count: number,
  cores: readonly string[] = [SERVER_CORE],
): Promise<RunningGateways> {
  await using parts = new AsyncDisposableStack();
  const port = freePort();
  const gateways: KeywireProcess[] = [];
  for (let n = 0; n < count; n++) {
    const env = {
      HOST: "127.0.0.1",
      PORT: `${port}`,
      REUSE_PORT: "1",
      INTERNAL_PORT: `${freePort()}`,
      REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      REDIS_STREAM: "",
      EMBEDDED_KEYS: Array.from({ length: keys }, (_, index) => keyOf(index)).join(),
      MAX_CONNECTIONS_PER_KEY: "100000",
      LOG_LEVEL: "warning",
    };
    const prefix = ["taskset", "-c", cores[n % cores.length]!];
    gateways.push(parts.use(await startKeywire(env, { prefix })));
  }
  const owned = parts.move();
  return {
    port,
    pids: gateways.map(({ pid }) => pid),
    clients: V1,
    publish: publishOnChannel(redisPort),
    async delivered() {
      const all = await Promise.all(gateways.map((gateway) => gateway.metrics()));
      return all.reduce((sum, metrics) => sum + (metrics.get("keywire_deliveries_total") ?? 0), 0);
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}
