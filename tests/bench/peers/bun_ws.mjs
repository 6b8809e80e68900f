/** The bare loop on Bun: `bun bun_ws.mjs <port> <redis port>` */
import { Redis } from "ioredis";

const [port, redisPort] = process.argv.slice(2).map(Number);
const sockets = new Map();
const redis = new Redis(redisPort, "127.0.0.1");
redis.on("message", (_channel, text) => {
  const message = JSON.parse(text);
  const { recipients } = message;
  delete message.recipients;
  const body = JSON.stringify(message);
  for (const recipient of recipients) {
    for (const socket of sockets.get(recipient) ?? []) socket.send(body);
  }
});
await redis.subscribe("my_channel");

globalThis.Bun.serve({
  hostname: "127.0.0.1",
  port,
  fetch(request, server) {
    const key = new URL(request.url).search.slice(1);
    return server.upgrade(request, { data: key }) ? undefined : new Response();
  },
  websocket: {
    open(socket) {
      const of = sockets.get(socket.data);
      if (of === undefined) sockets.set(socket.data, new Set([socket]));
      else of.add(socket);
    },
    message() {},
    close(socket) {
      const of = sockets.get(socket.data);
      of?.delete(socket);
      if (of?.size === 0) sockets.delete(socket.data);
    },
  },
});
