import { freePort } from "../../support/wait.ts";
import { succeeds } from "../../support/run.ts";
import type { Clients, Publishing } from "../generator.ts";
import type { Address } from "../templates.ts";
import { npmInstall } from "./cache.ts";
import type { Subject } from "./port.ts";
import { startPeer } from "./process.ts";
import { PLAIN, publishOnChannel } from "./shapes.ts";

/** A program for Node or Bun and the packages that it needs. */
export interface NodePeer {
  readonly name: string;
  readonly title: string;
  /** A file of `peers/`. */
  readonly program: string;
  readonly packages: readonly string[];
  /** What runs it, `node` by default, seen from its folder. */
  readonly runtime?: string;
  readonly clients?: Clients;
  readonly publish?: (redisPort: number) => (address: Address) => Publishing | undefined;
}

/** A subject that npm brings. */
export function nodePeer(
  { name, title, program, packages, runtime = "node", clients = PLAIN, publish = publishOnChannel }:
    NodePeer,
): Subject {
  let dir: string;
  return {
    name,
    title,
    async prepare() {
      if (!await succeeds("node", "--version")) throw new Error("Node is not installed");
      dir = await npmInstall(name, packages);
      // Node looks for packages beside the program.
      await Deno.copyFile(new URL(`../peers/${program}`, import.meta.url), `${dir}/${program}`);
    },
    async start({ redisPort }) {
      const port = freePort();
      const command = [runtime, program, `${port}`, `${redisPort}`];
      const peer = await startPeer(port, command, { cwd: dir });
      return {
        port,
        pids: [peer.pid],
        clients,
        publish: publish(redisPort),
        [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
      };
    },
  };
}

/** The bare loop on Node. */
export const nodeWs: Subject = nodePeer({
  name: "node-ws",
  title: "Node + ws",
  program: "node_ws.mjs",
  packages: ["ws@8.23.0", "ioredis@6.0.0"],
});

/** The bare loop on Bun. */
export const bun: Subject = nodePeer({
  name: "bun",
  title: "Bun",
  program: "bun_ws.mjs",
  packages: ["bun@1.4.5", "ioredis@6.0.0"],
  runtime: "./node_modules/.bin/bun",
});
