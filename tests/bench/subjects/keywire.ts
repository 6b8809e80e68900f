import { startKeywire } from "../../support/gateway.ts";
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
