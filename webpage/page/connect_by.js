import { Keywire } from "../keywire.js";
import { tapWebSocket } from "./tap_web_socket.js";
import { NativeEvents, PlainSocket, Polling } from "./transports.js";

const TRANSPORTS = {
  websocket: PlainSocket,
  sse: NativeEvents,
  polling: Polling,
};

/**
 * Connects by one of the page's transports.
 *
 * @param {"auto" | "websocket" | "sse" | "polling"} transport
 * @param {object} options
 * @param {string} options.gateway its address by HTTP, ending in a slash
 * @param {string} options.key
 * @param {() => void} options.onHeartbeat called at every answered heartbeat
 * @returns {{ client: EventTarget & { close(): void }, cut: () => void,
 *   textOf: (event: Event) => string }} the client with the events of `Keywire`, how to cut its
 * connection, and how to get the text of a message
 */
export function connectBy(transport, { gateway, key, onHeartbeat }) {
  if (transport === "auto") {
    const tap = tapWebSocket(onHeartbeat);
    // The page shows a gap when it happens: it fetches nothing, so there is no crowd to spread.
    const client = new Keywire(gateway, {
      key,
      transport,
      WebSocket: tap.WebSocket,
      gapJitterMs: 0,
    });
    const textOf = ({ data, cursor }) => tap.textAt(cursor) ?? JSON.stringify(data);
    return { client, cut: tap.cut, textOf };
  }
  const client = new TRANSPORTS[transport](gateway, key);
  client.addEventListener("heartbeat", onHeartbeat);
  return { client, cut: () => client.cut(), textOf: ({ text }) => text };
}
