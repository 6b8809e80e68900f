import { assertEquals } from "@std/assert";
import type { CloseReason } from "../../src/core/close_codes.ts";
import type { Connection } from "../../src/core/delivery/connection.ts";
import { type Disconnectable, Disconnects } from "../../src/gateway/disconnects.ts";

const ANN = { recipients: ["ann", "team"], keyHash: "hash of ann" };
const BOB = { recipients: ["bob", "team"], keyHash: "hash of bob" };

/** As much of a connection as an order closes. */
function connection(closed: number[]): Connection {
  return { close: ({ code }: CloseReason) => closed.push(code) } as unknown as Connection;
}

Deno.test("Disconnects: closes those that an order means, by recipient or by key", async () => {
  const disconnects = new Disconnects({ renew: () => {} });
  const closed = { ann: [] as number[], bob: [] as number[] };
  const connections = new Map<Connection, Disconnectable>([
    [connection(closed.ann), ANN],
    [connection(closed.bob), BOB],
  ]);
  const order = (recipients: string[], keyHashes: string[] = []) =>
    disconnects.carryOut({ recipients, keyHashes }, connections);
  await order(["nobody", "hash of ann"], ["ann"]);
  assertEquals(closed, { ann: [], bob: [] });
  await order(["ann"]);
  assertEquals(closed, { ann: [4403], bob: [] });
  await order([], ["hash of bob"]);
  assertEquals(closed, { ann: [4403], bob: [4403] });
  await order(["team", "ann"]);
  assertEquals(closed, { ann: [4403, 4403], bob: [4403, 4403] });
});

Deno.test("Disconnects: means admissions whose look-up began before the order, and no others", async () => {
  const disconnects = new Disconnects({ renew: () => {} });
  const ended = disconnects.begin();
  disconnects.end(ended);
  const underWay = disconnects.begin();
  await disconnects.carryOut({ recipients: ["ann"], keyHashes: [] }, new Map());
  const later = disconnects.begin();
  assertEquals(underWay.isDisconnected(ANN), true);
  assertEquals(underWay.isDisconnected(BOB), false);
  assertEquals(later.isDisconnected(ANN), false);
  assertEquals(ended.isDisconnected(ANN), false);
});

Deno.test("Disconnects: lets no later look-up share an answer that was asked for before", async () => {
  let renewed = 0;
  const disconnects = new Disconnects({ renew: () => renewed++ });
  await disconnects.carryOut({ recipients: [], keyHashes: ["x"] }, new Map());
  assertEquals(renewed, 1);
});

Deno.test("Disconnects: closes many in slices, so that others have their turn meanwhile", async () => {
  const disconnects = new Disconnects({ renew: () => {} });
  const closed: number[] = [];
  const connections = new Map(Array.from({ length: 1_000 }, () => [connection(closed), ANN]));
  const done = disconnects.carryOut({ recipients: ["team"], keyHashes: [] }, connections);
  assertEquals(closed.length, 200);
  await done;
  assertEquals(closed.length, 1_000);
});
