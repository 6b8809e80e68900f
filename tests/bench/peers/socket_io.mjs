/** Socket.IO with its Redis adapter: `node socket_io.mjs <port> <redis port>` */
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { Server } from "socket.io";

const [port, redisPort] = process.argv.slice(2).map(Number);
const http = createServer((_request, response) => response.end());
const publisher = new Redis(redisPort, "127.0.0.1");
const subscriber = publisher.duplicate();
const io = new Server(http, {
  adapter: createAdapter(publisher, subscriber),
  pingInterval: 300_000, // the generator does not speak engine.io's own pings
  transports: ["websocket"],
});
io.on("connection", (socket) => socket.join(socket.handshake.query.key));
http.listen(port, "127.0.0.1");
