/**
 * The honest minimum of the product on Deno, to measure Keywire against: no look-up, no presence, no
 * limit, no replay; one send for each delivery. `bare.ts <port> <redis port>`
 */
import { Redis } from "ioredis";

type Send = (text: string) => void;

const [port, redisPort] = Deno.args.map(Number);
const sends = new Map<string, Set<Send>>();
const encoder = new TextEncoder();

Deno.serve({ hostname: "127.0.0.1", port: port!, onListen: () => {} }, (request) => {
  const { pathname, search } = new URL(request.url);
  const key = search.slice(1);
  if (pathname === "/events") return events(key);
  if (pathname !== "/websocket") return new Response();
  const { socket, response } = Deno.upgradeWebSocket(request);
  const send = (text: string) => socket.send(text);
  socket.onopen = () => add(key, send);
  socket.onclose = () => remove(key, send);
  socket.onerror = () => {};
  return response;
});

function events(key: string): Response {
  let send: Send;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      send = (text) => controller.enqueue(encoder.encode(`data: ${text}\n\n`));
      add(key, send);
    },
    cancel: () => remove(key, send),
  });
  return new Response(body, { headers: { "Content-Type": "text/event-stream" } });
}

function add(key: string, send: Send): void {
  const of = sends.get(key);
  if (of === undefined) sends.set(key, new Set([send]));
  else of.add(send);
}

function remove(key: string, send: Send): void {
  const of = sends.get(key);
  of?.delete(send);
  if (of?.size === 0) sends.delete(key);
}

const redis = new Redis(redisPort!, "127.0.0.1");
redis.on("message", (_channel, text) => {
  const message = JSON.parse(text);
  const recipients: string[] = message.recipients;
  delete message.recipients;
  const body = JSON.stringify(message);
  for (const recipient of recipients) {
    const of = sends.get(recipient);
    if (of !== undefined) { for (const send of of) send(body); }
  }
});
await redis.subscribe("my_channel");
