import { setImmediate as nextTurn } from "node:timers/promises";
import { assertEquals } from "@std/assert";
import { isPeerGone } from "../../src/http/peer_gone.ts";
import { last, waitFor } from "../support/wait.ts";

/** Sends a handshake, does `before` while its request waits, and asks. */
async function ask(
  before: (client: Deno.Conn) => void | Promise<void>,
): Promise<{ isGone: boolean; turned: boolean }> {
  const connected = Promise.withResolvers<Deno.Conn>();
  const answer = Promise.withResolvers<{ isGone: boolean; turned: boolean }>();
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      await before(await connected.promise);
      let turned = false;
      nextTurn().then(() => turned = true);
      answer.resolve({ isGone: await isPeerGone(request), turned });
      return new Response();
    },
  );
  const { port } = server.addr;
  const client = await Deno.connect({ hostname: "127.0.0.1", port });
  await client.write(new TextEncoder().encode(
    "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
  ));
  connected.resolve(client);
  try {
    return await answer.promise;
  } finally {
    client.close();
  }
}

Deno.test("isPeerGone: says no of a peer that is there, without a turn of the event loop", async () => {
  assertEquals(await ask(() => {}), { isGone: false, turned: false });
});

Deno.test("isPeerGone: says yes of a peer that went, without a turn of the event loop", async () => {
  await waitFor("the runtime to notice in time", async () => {
    const { isGone, turned } = await ask(async (client) => {
      await client.closeWrite(); // as far as the other end can see, it is gone
      await last(20);
    });
    assertEquals(turned, false);
    return isGone;
  });
});
