import { assert, assertEquals } from "@std/assert";
import { CLOSE, type CloseReason } from "../../src/core/close_codes.ts";
import type { Connection } from "../../src/core/delivery/connection.ts";
import { drain, waitForClose } from "../../src/ops/drain.ts";
import { FakeClock } from "../support/fake_clock.ts";

/** A client that was told to come back: it closes by itself at that time, or never. */
class Client {
  retryMs: number | undefined;
  closed: { readonly reason: CloseReason; readonly at: number } | undefined;
  constructor(readonly node: Node, readonly obeys: boolean) {}
  close(reason: CloseReason): void {
    this.closed ??= { reason, at: performance.now() - this.node.start };
    this.node.connections.delete(this as unknown as Connection);
  }
}

class Node {
  readonly start = performance.now();
  readonly connections = new Map<Connection, unknown>();
  readonly clients: readonly Client[];

  constructor(count: number, obeys: boolean) {
    this.clients = Array.from({ length: count }, () => new Client(this, obeys));
    for (const client of this.clients) this.connections.set(client as unknown as Connection, {});
  }

  drain(durationMs: number): Promise<void> {
    return drain({
      connections: this.connections,
      durationMs,
      sendReconnect: (connection, retryMs) => {
        const client = connection as unknown as Client;
        client.retryMs = retryMs;
        if (client.obeys) setTimeout(() => client.close(CLOSE.goingAway), retryMs);
      },
    });
  }
}

/** Lets fake time pass until `promise` settles, and says how long it took. */
async function passUntil(time: FakeClock, promise: Promise<void>): Promise<number> {
  const start = performance.now();
  let settled = false;
  promise.then(() => settled = true);
  for (let steps = 0; !settled && steps < 10_000; steps++) await time.nextAsync();
  return performance.now() - start;
}

Deno.test("drain: a node without connections is done at once", async () => {
  using time = new FakeClock();
  assertEquals(await passUntil(time, new Node(0, true).drain(4_000)), 0);
});

Deno.test("drain: clients are sent away spread evenly over the time there is", async () => {
  using time = new FakeClock();
  const node = new Node(28, true);
  await passUntil(time, node.drain(4_000));
  const times = node.clients.map(({ retryMs }) => retryMs!).sort((a, b) => a - b);
  assertEquals(times, Array.from({ length: 28 }, (_, index) => (index + 1) * 100));
  assert(node.clients.every(({ closed }) => closed?.reason === CLOSE.goingAway));
});

Deno.test("drain: who does not close by itself is closed a courtesy after its time", async () => {
  using time = new FakeClock();
  const node = new Node(10, false);
  await passUntil(time, node.drain(4_000));
  for (const { retryMs, closed } of node.clients) {
    assertEquals(closed?.reason, CLOSE.restart);
    const late = closed!.at - retryMs!;
    assert(late >= 500 && late <= 520, `${late} ms after its time`);
  }
});

Deno.test("drain: clients that do not obey leave the last 700 ms to the end of the process", async () => {
  using time = new FakeClock();
  const took = await passUntil(time, new Node(28, false).drain(4_000));
  assert(took >= 3_300 && took <= 3_320, `it took ${took} ms`);
});

Deno.test("drain: ends by its deadline, however short that is", async () => {
  using time = new FakeClock();
  const node = new Node(5, false);
  assertEquals(await passUntil(time, node.drain(0)), 0);
  assertEquals(node.connections.size, 0);
});

Deno.test("waitForClose: resolves once the last slot was given back", async () => {
  using time = new FakeClock();
  const slots = { inUse: 2 };
  let done = false;
  waitForClose(slots).then(() => done = true);
  await time.pass(1_000, 100);
  assertEquals(done, false);
  slots.inUse = 0;
  await time.pass(20);
  assertEquals(done, true);
});
