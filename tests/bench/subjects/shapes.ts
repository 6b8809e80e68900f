/** How clients of Keywire, and of the loops that do as little as it must, connect and publish. */
import type { Clients, Publishing } from "../generator.ts";
import {
  addEnvelope,
  type Address,
  KEY_MARK,
  publishEnvelope,
  webSocketHandshake,
} from "../templates.ts";

/** Plain WebSockets: a frame for each message. */
export const PLAIN: Clients = {
  framing: "websocket",
  unit: "frames",
  greetings: 0,
  handshake: webSocketHandshake(`/websocket?${KEY_MARK}`),
};

/** `keywire.v1`: a line for each message, `welcome` first. */
export const V1: Clients = {
  framing: "websocket",
  unit: "lines",
  greetings: 1,
  handshake: webSocketHandshake(`/websocket?${KEY_MARK}`, "keywire.v1"),
};

/** Server-sent events, `greetings` of which come before the first message. */
export function eventStream(greetings: number): Clients {
  return {
    framing: "chunked",
    unit: "data-lines",
    greetings,
    handshake: `GET /events?${KEY_MARK} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
  };
}

/** Envelopes on the channel, pipelined on one connection. */
export function publishOnChannel(redisPort: number): (address: Address) => Publishing {
  return (address) => pipelined(redisPort, publishEnvelope(address));
}

/** Envelopes as entries of `stream`, pipelined on one connection. */
export function addToStream(redisPort: number, stream: string): (address: Address) => Publishing {
  return (address) => pipelined(redisPort, addEnvelope(address, stream));
}

function pipelined(port: number, request: string): Publishing {
  return { by: "redis", port, publishers: 1, request };
}
