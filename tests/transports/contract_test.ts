import { EventsTransport, PollingTransport, WebSocketTransport } from "../../src/transports/mod.ts";
import { testTransport, type TransportClient } from "../contracts/transport_contract.ts";
import { BulletPolling } from "../support/bullet.ts";
import { handshake, openEvents, openSocket } from "../support/clients.ts";

const query = (key: string) => key === "" ? "" : `?${encodeURIComponent(key)}`;

for (const v1 of [false, true]) {
  testTransport(v1 ? "WebSocketTransport, keywire.v1" : "WebSocketTransport", {
    create: (connector) => new WebSocketTransport(connector),
    async connect(url, key): Promise<TransportClient> {
      const client = await openSocket(url, key, { v1 });
      return {
        get messages() {
          // Not parsed and printed again: every byte counts.
          return v1
            ? client.frames.flatMap((frame) => frame.split("\n"))
              .filter((line) => line.startsWith('{"type":"message"'))
              .map((line) => line.slice(line.indexOf('"message":{') + 10, -1))
            : client.frames;
        },
        leave: () => client.socket.close(),
        abort: () => client.socket.close(),
        ended: client.closed,
      };
    },
    async status(url, key) {
      const { status } = await handshake(Number(new URL(url).port), `/websocket${query(key)}`);
      return status;
    },
  });
}

testTransport("EventsTransport", {
  create: (connector) => new EventsTransport(connector),
  async connect(url, key): Promise<TransportClient> {
    const client = await openEvents(url, key);
    const end = () => client[Symbol.dispose]();
    return { messages: client.messages, leave: end, abort: end, ended: client.ended };
  },
  async status(url, key) {
    const response = await fetch(`${url}/events${query(key)}`);
    await response.body?.cancel();
    return response.status;
  },
});

testTransport("PollingTransport", {
  create: (connector) => new PollingTransport(connector, { pollMs: 2_000, awayMs: 1_000 }),
  async connect(url, key): Promise<TransportClient> {
    const client = new BulletPolling(`${url}/websocket${query(key)}`, { pauseMs: 1 });
    await client.opened;
    const end = () => client[Symbol.dispose]();
    // A client that polls opens anew when it may: it has no end of its own.
    return { messages: client.messages, leave: end, abort: end, ended: Promise.resolve() };
  },
  async status(url, key) {
    const response = await fetch(`${url}/websocket${query(key)}`, {
      headers: { "X-Socket-Transport": "xhrPolling" },
    });
    await response.body?.cancel();
    return response.status;
  },
});
