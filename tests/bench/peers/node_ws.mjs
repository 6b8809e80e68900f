/** The bare loop on Node with ws: `node node_ws.mjs <port> <redis port>` */
import { createServer } from "node:http";
import { Redis } from "ioredis";
import { WebSocketServer } from "ws";

const [port, redisPort] = process.argv.slice(2).map(Number);
const sockets = new Map();
const http = createServer((_request, response) => response.end());
new WebSocketServer({ server: http }).on("connection", (socket, request) => {
  const key = request.url.slice(request.url.indexOf("?") + 1);
  const of = sockets.get(key);
  if (of === undefined) sockets.set(key, new Set([socket]));
  else of.add(socket);
  socket.on("error", () => {});
  socket.on("close", () => {
    const of = sockets.get(key);
    of?.delete(socket);
    if (of?.size === 0) sockets.delete(key);
  });
});

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
http.listen(port, "127.0.0.1");
