/** Keywire: settings → parts → serve → drain. The only wiring. */
import { getLogger } from "@logtape/logtape";
import config from "./deno.json" with { type: "json" };
import { createApi } from "./src/api/mod.ts";
import { type AppOptions, createApp, createInternalApp } from "./src/app.ts";
import { openBus } from "./src/bus/mod.ts";
import { Gateway } from "./src/gateway.ts";
import { LookUps, openKeyStore } from "./src/keystores/mod.ts";
import { allGone, drain } from "./src/ops/drain.ts";
import { Health } from "./src/ops/health.ts";
import { configureLog } from "./src/ops/log.ts";
import { createMetrics } from "./src/ops/metrics.ts";
import { MemoryPresence } from "./src/presence/mod.ts";
import { Revalidation } from "./src/revalidation.ts";
import { isLoopback, readSettings, WrongSetting } from "./src/settings.ts";
import {
  EventsTransport,
  PollingTransport,
  StreamCut,
  WebSocketTransport,
} from "./src/transports/mod.ts";

const settings = orExit(() => readSettings((name) => Deno.env.get(name)));
await configureLog({
  level: settings.logLevel,
  format: settings.logFormat ?? (Deno.stdout.isTerminal() ? "text" : "json"),
});
const log = getLogger(["keywire"]);

const bus = orExit(() =>
  openBus(settings, {
    nodeId: crypto.randomUUID().replaceAll("-", "").slice(0, 16),
    now: Date.now,
  })
);
const keyStore = orExit(() => openKeyStore(settings));
const presence = new MemoryPresence({
  notify: (kind, recipient) =>
    bus.notify(
      kind === "connected" ? settings.connectedChannel : settings.disconnectedChannel,
      recipient,
    ),
  graceMs: settings.presenceGraceSeconds * 1000,
});
const gateway = new Gateway({
  settings,
  lookUps: new LookUps(keyStore, {
    timeoutMs: settings.mongodbTimeoutMs,
    // The embedded store answers at once, and requests that wait together fragment the memory.
    ...settings.mongodbUrl === undefined ? { gatherMs: 1 } : {},
  }),
  presence,
  bus,
});
new Revalidation({
  connections: gateway.connections,
  store: keyStore,
  everyMs: settings.revalidateSeconds * 1000,
  timeoutMs: settings.mongodbTimeoutMs,
}).start();
const health = new Health(bus, keyStore, gateway);

const embedded = settings.redisUrl === undefined && settings.mongodbUrl === undefined;
const loopback = isLoopback(settings.host);
const open = embedded && loopback && settings.apiTokens.length === 0;
const knowsAll = settings.redisUrl === undefined;
const options: AppOptions = {
  websocket: new WebSocketTransport(gateway),
  polling: new PollingTransport(gateway),
  events: new EventsTransport(gateway),
  api: createApi({
    bus,
    maxMessageBytes: settings.maxMessageBytes,
    tokens: settings.apiTokens,
    open,
    presence: knowsAll ? (recipient) => presence.count(recipient) : undefined,
    everyone: knowsAll ? () => gateway.hub.recipients : undefined,
    version: config.version,
  }),
  health,
  metrics: createMetrics(gateway, health),
  allowedOrigins: settings.allowedOrigins,
  pageConfig: {
    publish: open,
    channel: settings.redisUrl === undefined ? null : settings.redisChannel ?? null,
    stream: settings.redisUrl === undefined ? null : settings.redisStream ?? null,
    demoKey: settings.mongodbUrl === undefined ? settings.embeddedKeys[0] ?? null : null,
  },
  internalElsewhere: settings.internalPort !== undefined,
};

serve(createApp(options), settings.port);
if (settings.internalPort !== undefined) {
  serve(createInternalApp(options), settings.internalPort);
}
bus.listen(gateway);
sayHello();

const stopping = Promise.withResolvers<void>();
for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.addSignalListener(signal, () => {
    if (gateway.draining) Deno.exit(0); // The second signal: at once.
    gateway.draining = true;
    stopping.resolve();
  });
}
await stopping.promise;
log.info("Draining: {connections} connections, at most {seconds} s", {
  connections: gateway.connections.size,
  seconds: settings.drainSeconds,
});
await drain({
  connections: gateway.connections,
  durationMs: settings.drainSeconds * 1000,
  announce: (connection, retryMs) => gateway.announceDrain(connection, retryMs),
});
// A dead Redis, or a stalled peer, delays nothing: what is not said by now is left to the leases.
await Promise.race([
  Promise.all([presence[Symbol.asyncDispose](), allGone(gateway.limits)]),
  new Promise((resolve) => setTimeout(resolve, 500)),
]);
log.info("Stopped");
Deno.exit(0);

function serve(app: ReturnType<typeof createApp>, port: number): void {
  try {
    Deno.serve({
      hostname: settings.host,
      port,
      onListen: () => {},
      onError: (error) => {
        if (!(error instanceof StreamCut)) log.error("A request failed: {error}", { error });
        return new Response(null, { status: 500 });
      },
    }, (request, info) => {
      const { remoteAddr } = info;
      return app.fetch(request, {
        peer: "hostname" in remoteAddr ? remoteAddr.hostname : "",
        completed: () => info.completed,
      });
    });
  } catch (error) {
    fail(`Cannot listen on ${settings.host}:${port}: ${(error as Error).message}`);
  }
}

/** What `open` returns; a wrong setting stops the start with one line that says what would be right. */
function orExit<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (error instanceof WrongSetting) return fail(error.message);
    throw error;
  }
}

/** Stops the start with one line. */
function fail(line: string): never {
  // deno-lint-ignore no-console -- the log has no settings yet, and people look at stderr
  console.error(line);
  Deno.exit(1);
}

/** Says where the page is, how to publish, and which parts are embedded. */
function sayHello(): void {
  const at = `http://${
    loopback || settings.host === "0.0.0.0" ? "localhost" : settings.host
  }:${settings.port}`;
  log.info(`Keywire ${config.version} serves its page at ${at}/`);
  const embeddedParts = [
    ...(settings.redisUrl === undefined ? ["the bus (set REDIS_URL to use Redis)"] : []),
    ...(settings.mongodbUrl === undefined
      ? ["the key store (set MONGODB_URL to use MongoDB)"]
      : []),
  ];
  if (embeddedParts.length > 0) log.info(`Embedded: ${embeddedParts.join("; ")}`);
  if (open) {
    const envelope = JSON.stringify({ recipients: [settings.embeddedKeys.at(-1)], hello: "world" });
    const curl = `curl -sS ${at}/api/publish -H 'Content-Type: application/json' -d '${envelope}'`;
    log.info(`Publish to the demo key: ${curl.replace(/[{}]/g, "$&$&")}`); // doubled, they are braces
  }
}
