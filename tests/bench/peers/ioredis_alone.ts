/**
 * What it costs to receive messages from Redis and do nothing: the floor under a message that is for
 * no socket here. `ioredis_alone.ts <port> <redis port>`
 */
import { Redis } from "ioredis";

const [port, redisPort] = Deno.args.map(Number);
// The generator keeps its sockets here, so that both sides of the comparison hold as many.
Deno.serve({ hostname: "127.0.0.1", port: port!, onListen: () => {} }, (request) => {
  if (request.headers.get("upgrade") !== "websocket") return new Response();
  return Deno.upgradeWebSocket(request).response;
});
let received = 0;
const redis = new Redis(redisPort!, "127.0.0.1");
redis.on("message", () => received++);
await redis.subscribe("my_channel");
