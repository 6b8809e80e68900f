import type { Hono } from "hono";
import { getLogger } from "@logtape/logtape";
import { type RequestInfo, StreamCut } from "../transports/mod.ts";

const log = getLogger(["keywire", "ops"]);

/** Where to listen. */
export interface ServeOptions {
  readonly host: string;
  readonly port: number;
}

/**
 * Serves `app`. A request that fails is logged and answered with 500.
 * @throws {Error} in one line, when the port cannot be listened on
 */
export function serve(
  app: Hono<{ Bindings: RequestInfo }>,
  { host, port }: ServeOptions,
): void {
  try {
    Deno.serve({
      hostname: host,
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
    const { message } = error as Error;
    throw new Error(
      `Cannot listen on ${host}:${port}: ${message}; stop what uses the port, or set ` +
        "PORT to a free one",
      { cause: error },
    );
  }
}
