import { KEY_MARK, messageText, recipientsOf, redisCommand, textFrame } from "../templates.ts";
import { webSocketHandshake } from "../templates.ts";
import { nodePeer } from "./node.ts";
import type { Subject } from "./port.ts";

/** Rooms for recipients, and packets as its emitter for backends publishes them. */
export const socketIo: Subject = nodePeer({
  name: "socket-io",
  title: "Socket.IO, Redis adapter",
  program: "socket_io.mjs",
  packages: ["socket.io@4.8.4", "@socket.io/redis-adapter@8.3.0", "ioredis@6.0.0"],
  clients: {
    framing: "websocket",
    unit: "frames",
    greetings: 2,
    handshake: webSocketHandshake(`/socket.io/?EIO=4&transport=websocket&key=${KEY_MARK}`),
    greeting: textFrame("40"),
  },
  publish: (redisPort) => (address) => {
    const packet = { type: 2, data: ["m", { data: { entry: messageText() } }], nsp: "/" };
    const options = { rooms: recipientsOf(address), except: [], flags: {} };
    const request = redisCommand("PUBLISH", "socket.io#/#", pack(["emitter", packet, options]));
    return { by: "redis", port: redisPort, publishers: 1, request };
  },
});

type Packable = number | string | readonly Packable[] | { readonly [name: string]: Packable };

/** MessagePack, as far as packets need it; each character of the result is one byte. */
function pack(value: Packable): string {
  if (typeof value === "number") return String.fromCharCode(value);
  if (typeof value === "string") return `\xda${uint16(value.length)}${value}`;
  if (Array.isArray(value)) return `\xdc${uint16(value.length)}${value.map(pack).join("")}`;
  const members = Object.entries(value);
  return `\xde${uint16(members.length)}${members.map((pair) => pair.map(pack).join("")).join("")}`;
}

function uint16(value: number): string {
  return String.fromCharCode(value >> 8, value & 0xff);
}
