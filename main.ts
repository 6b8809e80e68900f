/** Keywire: settings → parts → serve → drain. The only wiring. */
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
const { version } = config;
const nodeId = crypto.randomUUID().replaceAll("-", "").slice(0, 16);
await configureLog(settings, { nodeId, isTerminal: Deno.stdout.isTerminal() });
ops.crashOnUncaught();

const bus = ops.exitOnInvalidSetting(() => openBus(settings, { nodeId, now: Date.now }));
const keyStore = ops.exitOnInvalidSetting(() => openKeyStore(settings));
const presence = openPresence(settings, { bus, nodeId, report: () => report() });
const lookUps = new LookUps(keyStore, {
  timeoutMs: settings.mongodbTimeoutMs,
  // The embedded store answers at once, and requests that wait together fragment the memory.
  ...isKeyStoreEmbedded(settings) ? { gatherMs: 1 } : {},
});
const tracing = openTracing(settings, { version, nodeId });
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

const isOpen = ops.isOpen(settings);
const parts = {
  settings,
  version,
  nodeId,
  bus,
  presence,
  lookUps,
  gateway,
  revalidation,
  rebalancing,
  tracing,
  health: new ops.Health(bus, keyStore, gateway, presence),
  eventLoopDelay: new ops.EventLoopDelay(),
  guard: guard({ tokens: settings.apiTokens, open: isOpen }),
};
const report = ops.createNodeReport(parts);
const options: AppOptions = {
  websocket: new WebSocketTransport(gateway.manager),
  polling: new PollingTransport(gateway.manager),
  events: new EventsTransport(gateway.manager),
  api: createApi({ ...parts, restart: isOpen ? () => ops.simulateRestart(gateway) : undefined }),
  opsApi: ops.createOpsApi({ ...parts, report }),
  opsPage: ops.createOpsPage(),
  health: parts.health,
  metrics: ops.createMetrics(parts),
  allowedOrigins: settings.allowedOrigins,
  pageConfig: (host) => pageConfig(settings, { isOpen, host }),
  internalElsewhere: settings.internalPort !== undefined,
};
ops.servePorts({ app: createApp(options), internal: createInternalApp(options) }, settings);
bus.listen(gateway.router);
ops.logStartup(settings, version);
ops.logSettings(Deno.env.toObject());
ops.logSettingWarnings(Deno.env.toObject());

await ops.runUntilStopped(parts);
