/** Keywire: settings → parts → serve → drain. The only wiring. */
import { getLogger } from "@logtape/logtape";
import config from "./deno.json" with { type: "json" };
import { createApi, guard } from "./src/api/mod.ts";
import { type AppOptions, createApp, createInternalApp, pageConfig } from "./src/app.ts";
import { openBus } from "./src/bus/mod.ts";
import { Gateway, Rebalancing, Revalidation } from "./src/gateway/mod.ts";
import { LookUps, openKeyStore } from "./src/keystores/mod.ts";
import { configureLog } from "./src/logging/log.ts";
import * as ops from "./src/ops/mod.ts";
import { openPresence } from "./src/presence/mod.ts";
import { isKeyStoreEmbedded, readSettings } from "./src/settings/settings.ts";
import { openTracing } from "./src/tracing/mod.ts";
import { EventsTransport, PollingTransport, WebSocketTransport } from "./src/transports/mod.ts";

const settings = ops.exitOnInvalidSetting(() => readSettings((name) => Deno.env.get(name)));
const nodeId = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
await configureLog(settings, { nodeId, isTerminal: Deno.stdout.isTerminal() });
const log = getLogger(["keywire"]);
ops.crashOnUncaught();

const bus = ops.exitOnInvalidSetting(() => openBus(settings, { nodeId, now: Date.now }));
const keyStore = ops.exitOnInvalidSetting(() => openKeyStore(settings));
const presence = openPresence(settings, { bus, nodeId, report: () => report() });
const lookUps = new LookUps(keyStore, {
  timeoutMs: settings.mongodbTimeoutMs,
  // The embedded store answers at once, and requests that wait together fragment the memory.
  ...isKeyStoreEmbedded(settings) ? { gatherMs: 1 } : {},
});
const tracing = openTracing(settings, { version: config.version, nodeId });
const gateway = new Gateway({ settings, lookUps, presence, bus, tracing });
const revalidation = new Revalidation({
  connections: gateway.manager.connections,
  store: keyStore,
  everyMs: settings.revalidateSeconds * 1000,
  timeoutMs: settings.mongodbTimeoutMs,
});
revalidation.start();

const rebalancing = new Rebalancing({
  connections: gateway.manager.connections,
  registry: presence,
  sendReconnect: (connection, retryMs) => gateway.manager.sendReconnect(connection, retryMs),
  now: () => performance.now(),
});
if (settings.rebalance) rebalancing.start();

const health = new ops.Health(bus, keyStore, gateway, presence);
const eventLoopDelay = new ops.EventLoopDelay();
const report = ops.createNodeReport({
  gateway,
  bus,
  health,
  eventLoopDelay,
  maxConnections: settings.maxConnections,
  version: config.version,
});
const isOpen = ops.isOpen(settings);
const options: AppOptions = {
  websocket: new WebSocketTransport(gateway.manager),
  polling: new PollingTransport(gateway.manager),
  events: new EventsTransport(gateway.manager),
  api: createApi({
    bus,
    presence,
    maxMessageBytes: settings.maxMessageBytes,
    tokens: settings.apiTokens,
    open: isOpen,
    restart: isOpen ? () => ops.simulateRestart(gateway) : undefined,
    version: config.version,
  }),
  opsApi: ops.createOpsApi({
    guard: guard({ tokens: settings.apiTokens, open: isOpen }),
    bus,
    gateway,
    health,
    presence,
    report,
    nodeId,
  }),
  opsPage: ops.createOpsPage(),
  health,
  metrics: ops.createMetrics({
    bus,
    gateway,
    settings,
    health,
    presence,
    lookUps,
    revalidation,
    rebalancing,
    tracing,
    version: config.version,
    eventLoopDelay: eventLoopDelay.seconds,
  }),
  allowedOrigins: settings.allowedOrigins,
  pageConfig: (host) => pageConfig(settings, { isOpen, host }),
  internalElsewhere: settings.internalPort !== undefined,
};
ops.exitOnFailure(() => {
  const { host, port, internalPort, reusePort } = settings;
  const onGivenUp = (reason: string) => ops.crash(reason);
  ops.serve(createApp(options), { host, port, reusePort, setting: "PORT", onGivenUp });
  if (internalPort === undefined) return;
  const internal = { host, port: internalPort, setting: "INTERNAL_PORT", onGivenUp } as const;
  ops.serve(createInternalApp(options), internal);
});
bus.listen(gateway.router);
ops.logStartup(settings, config.version);
ops.logSettings(Deno.env.toObject());
ops.logSettingWarnings(Deno.env.toObject());

await ops.stopSignal(gateway);
log.info("Draining: {connections} connections, at most {seconds} s", {
  connections: gateway.manager.connections.size,
  seconds: settings.drainSeconds,
});
rebalancing[Symbol.dispose]();
await ops.drain({
  connections: gateway.manager.connections,
  durationMs: settings.drainSeconds * 1000,
  sendReconnect: (connection, retryMs) => gateway.manager.sendReconnect(connection, retryMs),
});
await ops.lastWords([
  presence[Symbol.asyncDispose](),
  ops.waitForClose(gateway.limits),
  tracing?.[Symbol.asyncDispose]() ?? Promise.resolve(),
]);
log.info("Stopped");
Deno.exit(0);
