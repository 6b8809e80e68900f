import { type Context, Hono, type MiddlewareHandler } from "hono";
import { serveStatic } from "hono/deno";
import type { Registry } from "prom-client";
import type { createApi } from "./api/mod.ts";
import type { Health } from "./ops/health.ts";
import { allow, preflight } from "./http/cors.ts";
import { isLoopbackHost } from "./http/loopback_host.ts";
import type { RequestInfo, Transport } from "./transports/port.ts";
import { pageHeaders } from "./http/page_headers.ts";
import { problem } from "./http/problem.ts";
import { isKeyStoreEmbedded, type Settings } from "./settings/settings.ts";

export interface AppOptions {
  /** The transports of `/websocket`: WebSocket, and polling for what is no upgrade. */
  readonly websocket: Transport;
  readonly polling: Transport;
  /** The transport of `/events`. */
  readonly events: Transport;
  /** `/api` and `/openapi.json`. */
  readonly api: ReturnType<typeof createApi>;
  /** What the operators' page asks for. */
  readonly opsApi: Hono;
  /** The operators' page itself. */
  readonly opsPage: Hono;
  readonly health: Health;
  readonly metrics: Registry;
  readonly allowedOrigins: "*" | readonly string[];
  /** What the page is told at `/config.json`, by the Host that it asks. */
  readonly pageConfig: (host: string | undefined) => PageConfig;
  /** Whether `/api`, `/metrics`, `/ready`, `/ops` and `/openapi.json` are served on a port of their own. */
  readonly internalElsewhere: boolean;
}

/** What the page learns of the gateway that serves it. */
export interface PageConfig {
  /** Whether the page may publish by the API. */
  readonly publish: boolean;
  /** Why it may not: the API wants a token, is closed, answers localhost only, or has its own port. */
  readonly publishOff?: "token" | "closed" | "host" | "internal";
  /** Whether `POST /api/demo/restart` is there. */
  readonly restart: boolean;
  /** The ways in through Redis; null where one is off, or the bus is embedded. */
  readonly channel: string | null;
  readonly stream: string | null;
  /** A key of the embedded store, for pages that this machine asks for; else null. */
  readonly demoKey: string | null;
}

/**
 * What the page learns at `host`. The embedded store's key and the open API are for this machine
 * alone, so a page that came by another name is not told of them.
 */
export function pageConfig(
  settings: Settings,
  { isOpen, host }: { readonly isOpen: boolean; readonly host: string | undefined },
): PageConfig {
  const { redisUrl, redisChannel, redisStream, embeddedKeys } = settings;
  const isHere = isLoopbackHost(host);
  const publishOff = settings.internalPort !== undefined
    ? "internal"
    : isOpen
    ? isHere ? undefined : "host"
    : settings.apiTokens.length > 0
    ? "token"
    : "closed";
  return {
    publish: publishOff === undefined,
    ...publishOff === undefined ? {} : { publishOff },
    restart: publishOff === undefined,
    channel: redisUrl === undefined ? null : redisChannel ?? null,
    stream: redisUrl === undefined ? null : redisStream ?? null,
    demoKey: isKeyStoreEmbedded(settings) && isHere ? embeddedKeys[0] ?? null : null,
  };
}

type Env = { Bindings: RequestInfo };

/** The routes for clients: transports, health and the page. */
export function createApp(options: AppOptions): Hono<Env> {
  const { websocket, polling, events, allowedOrigins, pageConfig } = options;
  const app = new Hono<Env>();

  const transport = (choose: (request: Request) => Transport) => async (c: Context<Env>) => {
    const request = c.req.raw;
    if (request.method === "OPTIONS") return preflight(request, allowedOrigins);
    return allow(await choose(request).handle(request, c.env), request, allowedOrigins);
  };
  app.all(
    "/websocket",
    transport((request) => request.headers.has("X-Socket-Transport") ? polling : websocket),
  );
  app.all("/events", transport(() => events));
  app.get("/health", (c) => c.json({ status: "ok" }));
  if (!options.internalElsewhere) app.route("/", createInternalApp(options));
  app.get("/config.json", (c) => {
    // Its answer differs by Host, and no cache between may mix them up.
    return c.json(pageConfig(c.req.header("Host")), 200, { "Cache-Control": "no-store" });
  });
  app.get("/:file{keywire[\\w.]*}", anyOrigin);
  app.get(
    "*",
    plainPathsOnly,
    pageHeaders(CONNECT_TO),
    serveStatic({ root: new URL("../webpage", import.meta.url).pathname }),
  );
  app.notFound(() => problem({ status: 404, detail: "Cannot find anything here" }));
  return app;
}

/** The routes for backends and operators. */
export function createInternalApp(
  { api, opsApi, opsPage, health, metrics }: AppOptions,
): Hono<Env> {
  const app = new Hono<Env>();
  app.route("/", opsApi);
  app.route("/", opsPage);
  app.route("/", api);
  app.get("/health", (c) => c.json({ status: "ok" }));
  app.get("/ready", (c) => {
    const readiness = health.readiness();
    return c.json(readiness, readiness.status === "ready" ? 200 : 503);
  });
  app.get("/metrics", async (c) => {
    return c.text(await metrics.metrics(), 200, { "Content-Type": metrics.contentType });
  });
  return app;
}

/** The page may be pointed at another gateway. */
const CONNECT_TO = ["'self'", "ws:", "wss:", "http:", "https:"];

/** Paths of the page are short and plain; the runtime would print what it cannot open. */
const plainPathsOnly: MiddlewareHandler = async (c, next) => {
  const { path } = c.req;
  // The operators' page is served where backends and operators are.
  const isPage = /^\/[\w./-]{0,200}$/.test(path) && !path.includes("..") && !/^\/+ops\b/.test(path);
  if (!isPage) return c.notFound();
  await next();
};

/** The client and its types may be imported by pages of any origin: they hold no secret. */
const anyOrigin: MiddlewareHandler = async (c, next) => {
  await next();
  c.header("Access-Control-Allow-Origin", "*");
  c.header("Cross-Origin-Resource-Policy", "cross-origin");
};
