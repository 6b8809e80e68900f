import { assert, assertEquals } from "@std/assert";
import { MemoryBus } from "../../src/bus/mod.ts";
import { CLOSE } from "../../src/core/close_codes.ts";
import { Gateway } from "../../src/gateway/mod.ts";
import { LookUps, MemoryKeyStore } from "../../src/keystores/mod.ts";
import { MemoryPresence } from "../../src/presence/mod.ts";
import { readSettings } from "../../src/settings/settings.ts";
import type { Connector, Transport } from "../../src/transports/mod.ts";
import { waitFor } from "../support/wait.ts";

/** A client of the transport under test. */
export interface TransportClient {
  /** The messages that it got, in order. */
  readonly messages: readonly string[];
  /** Ends it as a client does that is done. */
  leave(): void;
  /** Ends it as a client does whose process is killed. */
  abort(): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>;
}

/** A transport under test, and how its clients connect. */
export interface TransportUnderTest {
  create(connector: Connector): Transport;
  /** Connects with `key`; rejects when it is refused. */
  connect(url: string, key: string): Promise<TransportClient>;
  /** The status of the answer to a client that connects with `key`. */
  status(url: string, key: string): Promise<number>;
}

/** The parts of a node around the transport: all of them the embedded ones, which are real. */
class Node implements AsyncDisposable {
  readonly bus = new MemoryBus({ stream: true, nodeId: "node", now: Date.now });
  readonly gateway: Gateway;
  readonly url: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor({ create }: TransportUnderTest) {
    const settings = readSettings(() => undefined);
    this.gateway = new Gateway({
      settings,
      lookUps: new LookUps(new MemoryKeyStore(["demo"]), { timeoutMs: 1_000, gatherMs: 1 }),
      presence: new MemoryPresence({ notify: () => Promise.resolve() }),
      bus: this.bus,
    });
    const transport = create(this.gateway.manager);
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {}, onError: () => new Response() },
      (request, info) =>
        transport.handle(request, { peer: "127.0.0.1", completed: () => info.completed }),
    );
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
    this.bus.listen(this.gateway.router);
  }

  async slotsAreFree(): Promise<void> {
    await waitFor("the slot to be free", () => this.gateway.limits.inUse === 0, 20_000);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const connection of this.gateway.manager.connections.keys()) {
      connection.close(CLOSE.goingAway);
    }
    this.gateway[Symbol.dispose]();
    await this.bus[Symbol.asyncDispose]();
    await this.#server.shutdown();
  }
}

/** What every transport promises. */
export function testTransport(name: string, tested: TransportUnderTest): void {
  const test = (criterion: string, run: (node: Node) => Promise<void>) =>
    Deno.test({
      name: `${name}: ${criterion}`,
      // Clients that are cut off leave their sockets to the runtime.
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        await using node = new Node(tested);
        await run(node);
      },
    });

  test("an unknown key is refused by status, and holds no slot", async (node) => {
    assertEquals(await tested.status(node.url, "unknown"), 403);
    assertEquals(await tested.status(node.url, ""), 400);
    assertEquals([node.gateway.limits.inUse, node.gateway.manager.connections.size], [0, 0]);
  });

  test("messages arrive in order, as they were written", async (node) => {
    const client = await tested.connect(node.url, "demo");
    for (let n = 0; n < 20; n++) {
      await node.bus.publish(`{"recipients":["demo"],"n":${n},"big":12345678901234567890}`);
    }
    await waitFor("all of them", () => client.messages.length === 20, 20_000);
    assertEquals(
      client.messages,
      Array.from({ length: 20 }, (_, n) => `{"n":${n},"big":12345678901234567890}`),
    );
    client.leave();
    await client.ended;
  });

  for (const ending of ["leave", "abort"] as const) {
    test(`the slot is given back once when a client ends by ${ending}()`, async (node) => {
      const client = await tested.connect(node.url, "demo");
      assertEquals(node.gateway.limits.inUse, 1);
      client[ending]();
      await node.slotsAreFree();
      const another = await tested.connect(node.url, "demo");
      assertEquals(node.gateway.limits.inUse, 1, "a second release would have made it 0");
      another.leave();
      await node.slotsAreFree();
    });
  }

  for (const reason of [CLOSE.revoked, CLOSE.restart, CLOSE.goingAway, CLOSE.tooSlow]) {
    test(`the slot is given back once when the gateway closes with ${reason.code}`, async (node) => {
      const client = await tested.connect(node.url, "demo");
      const [connection] = node.gateway.manager.connections.keys();
      assert(connection !== undefined);
      connection.close(reason);
      connection.close(reason);
      await client.ended;
      client.leave();
      await node.slotsAreFree();
      assertEquals(node.gateway.manager.connections.size, 0);
    });
  }

  test("a sink takes what is sent after the end, and never throws", async (node) => {
    const client = await tested.connect(node.url, "demo");
    const [connection] = node.gateway.manager.connections.keys();
    assert(connection !== undefined);
    connection.close(CLOSE.restart);
    connection.sink.send("late");
    connection.sink.close(CLOSE.restart);
    await client.ended;
    connection.sink.send("later");
    assert(connection.sink.bufferedBytes >= 0 && connection.sink.capacity >= -1e9);
    client.leave();
    await node.slotsAreFree();
  });
}
