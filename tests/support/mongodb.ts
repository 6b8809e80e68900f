/**
 * A real MongoDB for tests, whatever the machine has: TEST_MONGODB_URL, mongod, Docker, or FerretDB
 * built by Go.
 */
import { buildFerretdb, findFerretdb } from "./ferretdb.ts";
import { hasGo } from "./go.ts";
import { ensureImage, MongodbContainer } from "./mongodb_docker.ts";
import { type CommandLine, MongodbProcess } from "./mongodb_process.ts";
import type { MongodbServer } from "./mongodb_server.ts";
import { SharedMongodb } from "./mongodb_shared.ts";
import { succeeds } from "./run.ts";

export type { MongodbServer } from "./mongodb_server.ts";

/**
 * Finds or builds what `startMongodb` starts.
 * @returns what makes a server that is not started yet
 * @throws when there is nothing: the message says what to install.
 */
export async function ensureMongodb(): Promise<() => MongodbServer> {
  const url = Deno.env.get("TEST_MONGODB_URL");
  if (url) return () => new SharedMongodb(url);
  if (await succeeds("mongod", "--version")) return () => new MongodbProcess(mongod);
  if (await succeeds("docker", "info")) {
    await ensureImage();
    return () => new MongodbContainer();
  }
  const ferretdb = await findFerretdb() ?? (await hasGo() ? await buildFerretdb() : undefined);
  if (ferretdb !== undefined) {
    return () => new MongodbProcess((port, dir) => [ferretdb, `127.0.0.1:${port}`, dir]);
  }
  throw new Error(
    "The tests need MongoDB: install mongod, Docker or Go 1.21 or later, or set TEST_MONGODB_URL",
  );
}

/**
 * Starts a server on a free port of 127.0.0.1. Tests use database names of their own, as the server
 * may be shared.
 */
export async function startMongodb(): Promise<MongodbServer> {
  const make = await ensureMongodb();
  const server = make();
  await server.start();
  return server;
}

const mongod: CommandLine = (port, dir) => [
  "mongod",
  ...["--bind_ip", "127.0.0.1", "--port", `${port}`],
  ...["--dbpath", dir, "--nounixsocket", "--quiet"],
];
