import { assert, assertEquals, assertRejects } from "@std/assert";
import { succeeds } from "../support/run.ts";
import { type Clients, Generator, type Load } from "./generator.ts";
import { eventStream, PLAIN, V1 } from "./subjects/shapes.ts";
import { messageBody, post } from "./templates.ts";

const SOCKETS = 20;
const ignore = !await succeeds("cc", "--version") || !await succeeds("taskset", "--version");

/** What is done to the messages on their way. */
type Fault = (bodies: string[]) => string[];

/** A server that hands every published body to everyone, several in one write, `fault` applied. */
function serve(fault: Fault = (bodies) => bodies): Deno.HttpServer<Deno.NetAddr> {
  const sends = new Set<(bodies: string[]) => void>();
  let waiting: string[] = [];
  const flush = () => {
    const bodies = fault(waiting);
    waiting = [];
    for (const send of sends) send(bodies);
  };
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/publish") {
      if (waiting.push(await request.text()) === 1) setTimeout(flush, 1);
      return new Response();
    }
    if (pathname === "/events") {
      let send: (bodies: string[]) => void;
      const encoder = new TextEncoder();
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          send = (bodies) => {
            const blocks = bodies.map((body) => `id: 1\ndata: ${body}\n\n`);
            controller.enqueue(encoder.encode(blocks.join("")));
          };
          controller.enqueue(encoder.encode("event: welcome\ndata: {}\n\n"));
          sends.add(send);
        },
        cancel: () => void sends.delete(send),
      });
      return new Response(body);
    }
    if (pathname !== "/websocket") return new Response(null, { status: 403 });
    const v1 = request.headers.has("Sec-WebSocket-Protocol");
    const { socket, response } = Deno.upgradeWebSocket(
      request,
      v1 ? { protocol: "keywire.v1" } : {},
    );
    const send = (bodies: string[]) => {
      if (v1) socket.send(bodies.join("\n"));
      else for (const body of bodies) socket.send(body);
    };
    socket.onopen = () => {
      if (v1) socket.send('{"type":"welcome"}');
      sends.add(send);
    };
    socket.onclose = () => sends.delete(send);
    socket.onerror = () => {};
    return response;
  });
}

async function measure(clients: Clients, fault?: Fault) {
  await using generator = await Generator.build();
  await using server = serve(fault);
  const { port } = server.addr;
  const request = post("/publish", messageBody());
  const load: Load = {
    publishing: { by: "http", port, publishers: 4, request },
    inFlight: 4,
    deliveries: SOCKETS,
    warmup: 0.05,
    seconds: 0.2,
    sampleEvery: 5,
  };
  const options = {
    port,
    sockets: SOCKETS,
    keys: 1,
    clients,
    serverPids: [Deno.pid],
    redisPid: Deno.pid,
  };
  return await generator.measure(options, load);
}

for (
  const [name, clients] of [["frames", PLAIN], ["lines", V1], ["events", eventStream(1)]] as const
) {
  Deno.test(
    { name: `Generator counts ${name} as they arrive at every socket`, ignore },
    async () => {
      const { deliveries, messages, seconds, p50Us } = await measure(clients);
      assert(messages > 0);
      // A window begins and ends with up to four messages under way.
      assert(Math.abs(deliveries - messages * SOCKETS) <= 2 * 4 * SOCKETS);
      assert(seconds >= 0.2);
      assert(p50Us > 0);
    },
  );

  Deno.test({ name: `Generator notices ${name} that come twice`, ignore }, async () => {
    let flushes = 0;
    const twice: Fault = (bodies) => ++flushes % 3 === 0 ? [...bodies, bodies[0]!] : bodies;
    await assertRejects(() => measure(clients, twice), Error, "received");
  });
}

Deno.test({ name: "Generator says how a connection was refused", ignore }, async () => {
  const elsewhere = { ...PLAIN, handshake: PLAIN.handshake.replace("/websocket", "/nowhere") };
  const error = await assertRejects(() => measure(elsewhere));
  assertEquals(error.message, "generator: a connection was refused: HTTP/1.1 403");
});
