import { freePort } from "../../support/wait.ts";
import type { Clients } from "../generator.ts";
import type { Subject } from "./port.ts";
import { startPeer } from "./process.ts";
import { eventStream, PLAIN, publishOnChannel } from "./shapes.ts";

/** Programs for Deno that do as little as can be done. */
export const bare: readonly Subject[] = [
  denoPeer("bare", "bare Deno loop", "bare.ts", PLAIN),
  denoPeer("bare-sse", "bare Deno loop, SSE", "bare.ts", eventStream(0), ["idle"]),
  denoPeer("ioredis", "ioredis alone", "ioredis_alone.ts", PLAIN, ["not-mine"]),
];

function denoPeer(
  name: string,
  title: string,
  program: string,
  clients: Clients,
  only?: readonly string[],
): Subject {
  return {
    name,
    title,
    ...only === undefined ? {} : { only },
    prepare: () => Promise.resolve(),
    async start({ redisPort }) {
      const port = freePort();
      const path = new URL(`../peers/${program}`, import.meta.url).pathname;
      const args = ["run", "-A", "--frozen", path, `${port}`, `${redisPort}`];
      const peer = await startPeer(port, [Deno.execPath(), ...args]);
      return {
        port,
        pids: [peer.pid],
        clients,
        publish: publishOnChannel(redisPort),
        [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
      };
    },
  };
}
