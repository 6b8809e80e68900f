import type { Hono } from "hono";
import { setTimeout as delay } from "node:timers/promises";
import { getLogger } from "@logtape/logtape";
import type { Settings } from "../settings/settings.ts";
import { crash } from "./crash.ts";
import { exitOnFailure } from "./startup.ts";
import { type RequestInfo, StreamCut } from "../transports/mod.ts";

const log = getLogger(["keywire", "ops"]);

/** How soon a listener that failed listens again, and for how long it tries, in milliseconds. */
const LISTEN_AGAIN_MS = 1_000;
const GIVE_UP_MS = 60_000;

/** Where to listen. */
export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  /** The setting that names the port. */
  readonly setting: "PORT" | "INTERNAL_PORT";
  /** Whether other processes listen on the same port, which share its connections evenly. */
  readonly reusePort?: boolean;
  /** Called when listening failed and cannot go on, with the reason. */
  readonly onGivenUp: (reason: string) => void;
}

/** What a node serves: `internal` on `INTERNAL_PORT`, where that is set. */
export interface Served {
  readonly app: Hono<{ Bindings: RequestInfo }>;
  readonly internal: Hono<{ Bindings: RequestInfo }>;
}

/** Serves a node's ports by the settings; what cannot be served stops the start with one line. */
export function servePorts(
  { app, internal }: Served,
  { host, port, internalPort, reusePort }: Settings,
): void {
  const onGivenUp = (reason: string) => crash(reason);
  exitOnFailure(() => {
    serve(app, { host, port, reusePort, setting: "PORT", onGivenUp });
    if (internalPort === undefined) return;
    serve(internal, { host, port: internalPort, setting: "INTERNAL_PORT", onGivenUp });
  });
}

/**
 * Serves `app`. A request that fails is logged and answered with 500. Where listening itself fails, as
 * it does without descriptors, it begins anew as soon as it can; connected clients stay.
 * @throws {Error} in one line, when the port cannot be listened on at the start
 */
export function serve(app: Hono<{ Bindings: RequestInfo }>, options: ServeOptions): void {
  const { host, port, setting, reusePort = false } = options;
  if (reusePort) checkReusePort();
  try {
    keepListening(app, options, listen(app, options));
  } catch (error) {
    const { message } = error as Error;
    throw new Error(
      `Cannot listen on ${host}:${port}: ${message}; stop what uses the port, or set ` +
        `${setting} to a free one`,
      { cause: error },
    );
  }
}

/** Says in one line what to do where the runtime cannot share a port. */
function checkReusePort(): void {
  const { os } = Deno.build;
  if (os !== "linux") {
    throw new Error(`REUSE_PORT is 1, but only Linux shares a port evenly, and this is ${os}`);
  }
  // The flag brings this function, too; nothing else says whether it was given.
  if ("listenDatagram" in Deno) return;
  throw new Error("REUSE_PORT is 1, so Deno must run with --unstable-net, as the start task does");
}

function listen(
  app: Hono<{ Bindings: RequestInfo }>,
  { host, port, reusePort = false }: ServeOptions,
): Deno.HttpServer {
  return Deno.serve({
    hostname: host,
    port,
    reusePort,
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
}

async function keepListening(
  app: Hono<{ Bindings: RequestInfo }>,
  options: ServeOptions,
  server: Deno.HttpServer,
): Promise<void> {
  const { host, port, onGivenUp } = options;
  for (let listener: Deno.HttpServer | undefined = server; listener !== undefined;) {
    try {
      return await listener.finished;
    } catch (error) {
      const reason = (error as Error).message;
      log.error(
        "Cannot accept connections on {host}:{port}: {reason}; connected clients stay, and it " +
          "listens again in a second (raise the descriptor limit above MAX_CONNECTIONS: see NOFILE)",
        { host, port, reason },
      );
      listener = await listenAgain(app, options);
      if (listener === undefined) onGivenUp(reason);
      else log.info("Listens again on {host}:{port}", { host, port });
    }
  }
}

async function listenAgain(
  app: Hono<{ Bindings: RequestInfo }>,
  options: ServeOptions,
): Promise<Deno.HttpServer | undefined> {
  const until = performance.now() + GIVE_UP_MS;
  while (performance.now() < until) {
    await delay(LISTEN_AGAIN_MS);
    try {
      return listen(app, options);
    } catch (error) {
      log.debug("Cannot listen yet: {reason}", { reason: (error as Error).message });
    }
  }
}
