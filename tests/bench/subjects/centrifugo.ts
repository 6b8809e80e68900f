import { run, succeeds } from "../../support/run.ts";
import { freePort } from "../../support/wait.ts";
import { type Address, KEY_MARK, messageBody, post, recipientsOf } from "../templates.ts";
import { textFrame, webSocketHandshake } from "../templates.ts";
import { isThere, peerDir } from "./cache.ts";
import type { Subject } from "./port.ts";
import { startPeer } from "./process.ts";

const VERSION = "6.9.1";
/** More than the messages in flight, so that no publish ever waits for a connection. */
const PUBLISHERS = 64;

let program: string;

/**
 * Centrifugo with its Redis engine, its JSON protocol and its HTTP API. History, presence and logs
 * are off, and its queues are large enough that no client is cut off.
 */
export const centrifugo: Subject = {
  name: "centrifugo",
  title: `Centrifugo ${VERSION}, Redis engine`,
  async prepare() {
    const dir = await peerDir(`centrifugo-${VERSION}`);
    program = `${dir}/centrifugo`;
    if (await isThere(program)) return;
    if (!await succeeds("go", "version")) throw new Error("Go, which builds it, is not installed");
    await run(["go", "install", `github.com/centrifugal/centrifugo/v6@v${VERSION}`], {
      env: { GOBIN: dir, GOFLAGS: "-mod=mod", CGO_ENABLED: "0" },
    });
  },
  async start({ redisPort }) {
    const port = freePort();
    const config = `${await peerDir(`centrifugo-${VERSION}`)}/config.json`;
    await Deno.writeTextFile(config, JSON.stringify(settings(port, redisPort)));
    const peer = await startPeer(port, [program, "-c", config]);
    return {
      port,
      pids: [peer.pid],
      clients: {
        framing: "websocket",
        unit: "lines",
        greetings: 2,
        handshake: webSocketHandshake("/connection/websocket"),
        greeting: textFrame(
          `{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"${KEY_MARK}"}}`,
        ),
      },
      publish: (address) => ({
        by: "http",
        port,
        publishers: PUBLISHERS,
        request: request(address),
      }),
      [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
    };
  },
};

function settings(port: number, redisPort: number): unknown {
  return {
    http_server: { address: "127.0.0.1", port },
    http_api: { insecure: true },
    engine: { type: "redis", redis: { address: [`redis://127.0.0.1:${redisPort}`] } },
    client: {
      insecure: true,
      allowed_origins: ["*"],
      ping_interval: "600s", // the generator does not speak its pings
      pong_timeout: "60s",
      queue_max_size: 64 * 1024 * 1024,
    },
    channel: { without_namespace: { allow_subscribe_for_client: true } },
    log: { level: "error" },
  };
}

function request(address: Address): string {
  const channels = recipientsOf(address);
  return channels.length === 1
    ? post("/api/publish", `{"channel":"${channels[0]}","data":${messageBody()}}`)
    : post("/api/broadcast", `{"channels":${JSON.stringify(channels)},"data":${messageBody()}}`);
}
