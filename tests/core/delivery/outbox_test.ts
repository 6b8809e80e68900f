import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CLOSE, type CloseReason } from "../../../src/core/close_codes.ts";
import { Connection, type Sink } from "../../../src/core/delivery/connection.ts";
import { type Format, PLAIN, SSE, V1 } from "../../../src/core/format.ts";
import { ServerMessage } from "../../../src/core/server_event.ts";
import { Hub } from "../../../src/core/delivery/hub.ts";
import { FlushScheduler } from "../../../src/core/delivery/flush_scheduler.ts";

const START = { stream: "0-0", marker: "", since: 0 };

/** A peer that reads when it is told to, behind a runtime that holds what it has not read. */
class Peer implements Sink {
  readonly signalsDrain = false;
  readonly sent: string[] = [];
  bufferedBytes = 0;
  closed: CloseReason | undefined;
  constructor(readonly limit: number) {}
  get capacity(): number {
    return this.limit - this.bufferedBytes;
  }
  send(text: string): void {
    assertEquals(this.closed, undefined, "nothing is sent after the end");
    this.sent.push(text);
    this.bufferedBytes += text.length;
  }
  close(reason: CloseReason): void {
    this.closed = reason;
  }
}

/** A node's core whose turns end when the test says so. */
class Node {
  readonly hub = new Hub();
  #ends: (() => void)[] = [];
  now = 0;
  readonly turn = new FlushScheduler({
    atEnd: (end) => this.#ends.push(end),
    later: (end) => this.#ends.push(end),
    now: () => this.now,
  });
  readonly waiting = new Set<Connection>();
  readonly paused = new Set<Connection>();

  connect(format: Format, recipients: string[], peer: Peer, maxBufferedBytes = 1e9): Connection {
    const connection = this.open(format, recipients, peer, maxBufferedBytes);
    connection.attach();
    return connection;
  }

  /** A connection that hears nothing yet. */
  open(format: Format, recipients: string[], sink: Peer, maxBufferedBytes = 1e9): Connection {
    const host = {
      hub: this.hub,
      scheduler: this.turn,
      maxBufferedBytes,
      onBackpressure: (connection: Connection) => this.waiting.add(connection),
      onPaused: (connection: Connection) => this.paused.add(connection),
      onEnded: () => {},
    };
    return new Connection(host, { recipients, format, sink });
  }

  endTurn(): void {
    const ends = this.#ends;
    this.#ends = [];
    for (const end of ends) end();
  }
}

/** The bodies that a peer got, in order, whatever the format. */
function bodies(format: Format, sent: readonly string[]): string[] {
  if (format === PLAIN) return [...sent];
  const separator = format === V1 ? "\n" : "\n\n";
  return sent.flatMap((text) => text.split(separator)).filter((part) => part !== "").map((part) =>
    format === V1
      ? JSON.stringify(JSON.parse(part).message)
      : part.slice(part.indexOf("data: ") + 6)
  );
}

const formats = fc.constantFrom<Format>(PLAIN, V1, SSE);
const names = fc.uniqueArray(fc.constantFrom<string>("a", "b", "c", "d"), { minLength: 1 });
const steps = fc.array(
  fc.oneof(
    fc.record({
      do: fc.constant("join" as const),
      format: formats,
      names,
      capacity: fc.constantFrom(1, 300, 65_536),
    }),
    fc.record({ do: fc.constant("leave" as const), which: fc.nat(20) }),
    { weight: 4, arbitrary: fc.record({ do: fc.constant("end of turn" as const) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant("message" as const),
        names: fc.oneof(names, fc.constant("*" as const), fc.constant<string[]>([])),
        size: fc.constantFrom(0, 100, 70_000),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("read" as const),
        which: fc.nat(20),
        all: fc.boolean(),
      }),
    },
  ),
  { maxLength: 200, size: "max" },
);

Deno.test("Outbox: every connection gets exactly its messages, once and in order, whatever interleaves", () => {
  fc.assert(fc.property(steps, (steps) => {
    const node = new Node();
    let serial = 0;
    const all: {
      format: Format;
      names: string[];
      peer: Peer;
      connection: Connection;
      owed: string[];
      left: boolean;
    }[] = [];
    for (const step of steps) {
      if (step.do === "join") {
        const peer = new Peer(step.capacity);
        const connection = node.connect(step.format, step.names, peer);
        all.push({ ...step, peer, connection, owed: [], left: false });
      } else if (step.do === "leave") {
        const one = all[step.which];
        one?.connection.close(CLOSE.goingAway);
        if (one) one.left = true;
      } else if (step.do === "message") {
        const body = JSON.stringify({ n: serial++, x: "x".repeat(step.size) });
        const hears = (one: { names: string[] }) =>
          step.names === "*" || one.names.some((name) => step.names.includes(name));
        const count = node.hub.deliver(step.names, new ServerMessage(body, START));
        const heard = all.filter((one) => !one.left && hears(one));
        for (const one of heard) one.owed.push(body);
        assertEquals(count, heard.length);
      } else if (step.do === "end of turn") {
        node.endTurn();
      } else {
        const one = all[step.which];
        if (one === undefined || one.left) continue;
        one.peer.bufferedBytes = step.all ? 0 : Math.floor(one.peer.bufferedBytes / 2);
        one.connection.drain();
      }
    }
    node.endTurn();
    for (const one of all) {
      for (let i = 0; one.connection.backlog > 0 && i < 10_000; i++) {
        one.peer.bufferedBytes = 0;
        one.connection.drain();
      }
      const got = bodies(one.format, one.peer.sent);
      if (one.left) assertEquals(got, one.owed.slice(0, got.length));
      else assertEquals(got, one.owed);
      one.connection.close(CLOSE.goingAway);
    }
    assertEquals([node.hub.size, node.hub.recipients], [0, 0]);
  }));
});

Deno.test("Outbox: connections that are owed the same run are handed one and the same write", () => {
  const node = new Node();
  const peers = [new Peer(65_536), new Peer(65_536)];
  for (const peer of peers) node.connect(V1, ["a"], peer);
  for (const n of [1, 2, 3]) node.hub.deliver(["a"], new ServerMessage(`{"n":${n}}`, START));
  assertEquals(peers[0]!.sent, []);
  node.endTurn();
  assertEquals(peers[0]!.sent.length, 1);
  assertEquals(peers[0]!.sent, peers[1]!.sent);
  assertEquals(peers[0]!.sent[0]!.split("\n").length, 3);
});

Deno.test("Outbox: keeps no event and no link once everything was handed over", async () => {
  const node = new Node();
  const peer = new Peer(65_536);
  const slow = new Peer(100);
  const refs: WeakRef<ServerMessage>[] = [];
  const connections = [node.connect(V1, ["a"], peer), node.connect(SSE, ["a", "b"], slow)];
  const deliver = (n: number) => {
    const event = new ServerMessage(`{"n":${n}}`, START);
    refs.push(new WeakRef(event));
    node.hub.deliver([n % 2 ? "a" : "b"], event);
  };
  for (let n = 0; n < 1000; n++) {
    deliver(n);
    if (n % 10 === 0) node.endTurn();
  }
  node.endTurn();
  peer.bufferedBytes = 0;
  while (connections[1]!.backlog > 0) {
    slow.bufferedBytes = 0;
    connections[1]!.drain();
  }
  const { gc } = globalThis as unknown as { gc: () => void };
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    gc();
  }
  assertEquals(refs.filter((ref) => ref.deref() !== undefined).length, 0);
  assertEquals(bodies(SSE, slow.sent).length, 1000);
});

Deno.test("Outbox: a write of several events is 32 KiB at most, in bytes, live and behind a backlog", () => {
  const cursor = { stream: "1764045000000-12", marker: "0123456789abcdef-zzzz", since: 123_456 };
  for (const format of [V1, SSE]) {
    for (const unit of ["x", "é", "漢", "😀"]) {
      for (const limit of [1, 65_536]) {
        const node = new Node();
        const peer = new Peer(limit);
        const connection = node.connect(format, ["a"], peer);
        const body = `{"text":"${unit.repeat(100)}"}`;
        for (let n = 0; n < 1_000; n++) node.hub.deliver(["a"], new ServerMessage(body, cursor));
        node.endTurn();
        for (let n = 0; n < 3_000; n++) {
          peer.bufferedBytes = 0;
          connection.drain();
        }
        const sizes = peer.sent.map((text) => new TextEncoder().encode(text).length);
        assert(Math.max(...sizes) <= 32_768, `${unit} ${Math.max(...sizes)}`);
        assertEquals(bodies(format, peer.sent).length, 1_000);
        if (limit > 1) assert(peer.sent.length < 30, "they go out together");
      }
    }
  }
});

Deno.test("Outbox: hands the runtime no more than 64 KiB ahead, or one message", () => {
  const node = new Node();
  const peer = new Peer(65_536);
  const connection = node.connect(V1, ["a"], peer);
  for (let n = 0; n < 100; n++) {
    node.hub.deliver(["a"], new ServerMessage(`{"n":"${"x".repeat(1_000)}"}`, START));
  }
  node.endTurn();
  assert(peer.bufferedBytes <= 65_536, `${peer.bufferedBytes} bytes were handed ahead`);
  peer.bufferedBytes = 0;
  connection.drain();
  assertEquals(connection.backlog, 0);
  assertEquals(bodies(V1, peer.sent).length, 100);

  peer.bufferedBytes = 0;
  node.hub.deliver(["a"], new ServerMessage(JSON.stringify("x".repeat(262_000)), START));
  node.endTurn();
  assertEquals(peer.sent.at(-1)!.length > 262_000, true);
});

Deno.test("Outbox: a client that is owed more than the bound from before a turn is closed as too slow", () => {
  const node = new Node();
  const peer = new Peer(1_000);
  node.connect(V1, ["a"], peer, 10_000);
  const one = () =>
    node.hub.deliver(["a"], new ServerMessage(JSON.stringify("x".repeat(900)), START));
  for (let n = 0; n < 150; n++) one(); // All of one turn: a burst is no slowness.
  node.endTurn();
  assertEquals(peer.closed, undefined);
  one();
  node.endTurn();
  assertEquals(peer.closed, CLOSE.tooSlow);
  assertEquals(node.hub.size, 0);
});

Deno.test("Outbox: a peer that takes nothing is found though nothing more is sent to it", () => {
  const node = new Node();
  const [stalled, idle, reading] = [new Peer(65_536), new Peer(65_536), new Peer(65_536)];
  const connections = [stalled, idle, reading].map((peer) => node.connect(V1, ["a"], peer));
  node.hub.deliver(["a"], new ServerMessage(JSON.stringify("x".repeat(900)), START));
  node.endTurn();
  idle.bufferedBytes = 0;
  for (let now = 0; now <= 40_000; now += 5_000) {
    for (const connection of connections) connection.check(now, 30_000);
    reading.bufferedBytes = Math.max(1, reading.bufferedBytes - 10);
  }
  assertEquals(stalled.closed, CLOSE.tooSlow);
  assertEquals([idle.closed, reading.closed], [undefined, undefined]);
});

Deno.test("Outbox: a peer that takes bytes of a long text is never found, whatever they spell", () => {
  const node = new Node();
  const [reading, stalled] = [new Peer(65_536), new Peer(65_536)];
  const connections = [reading, stalled].map((peer) => node.connect(V1, ["a"], peer));
  const check = (now: number) => {
    for (const connection of connections) connection.check(now, 30_000);
  };
  check(0);
  node.hub.deliver(["a"], new ServerMessage(JSON.stringify("語".repeat(30_000)), START));
  node.endTurn();
  reading.bufferedBytes = stalled.bufferedBytes *= 3; // bytes of UTF-8
  for (let now = 5_000; now <= 40_000; now += 5_000) {
    check(now);
    reading.bufferedBytes -= 1_000;
  }
  assertEquals([reading.closed, stalled.closed], [undefined, CLOSE.tooSlow]);
});

Deno.test("Outbox: reads a replay at the peer's pace, attaches at its end, and answers a ping behind it", () => {
  const node = new Node();
  const peer = new Peer(200);
  const connection = node.open(V1, ["a"], peer);
  const missed = [...Array(20).keys()].map((n) => new ServerMessage(`{"n":${n}}`, START));
  connection.replay({
    read(maxSize) {
      const events: ServerMessage[] = [];
      for (let size = 0; missed.length > 0 && size < maxSize; size += 90) {
        events.push(missed.shift()!);
      }
      return events;
    },
    get done() {
      return missed.length === 0;
    },
    paused: false,
  });
  connection.pushCurrent(() => new ServerMessage(`"pong"`, START));
  assertEquals([connection.attached, node.hub.size], [false, 0]);
  for (let i = 0; i < 50; i++) {
    peer.bufferedBytes = 0;
    connection.drain();
    node.endTurn();
  }
  assert(connection.attached);
  node.hub.deliver(["a"], new ServerMessage(`{"n":20}`, START));
  node.endTurn();
  const got = bodies(V1, peer.sent).map((body) => JSON.parse(body));
  assertEquals(got, [...[...Array(20).keys()].map((n) => ({ n })), "pong", { n: 20 }]);
});

Deno.test("Outbox: a replay that pauses is read on in a later turn, though its sink signals when it drains", () => {
  const node = new Node();
  class Signalling extends Peer {
    override readonly signalsDrain = true as unknown as false;
  }
  for (const peer of [new Peer(65_536), new Signalling(65_536)]) {
    const connection = node.open(V1, ["a"], peer);
    let reads = 0;
    connection.replay({
      read: () => ++reads % 2 ? [] : [new ServerMessage(`{"n":${reads}}`, START)],
      get done() {
        return reads === 6;
      },
      paused: true,
    });
    for (let turns = 1; turns <= 6; turns++) {
      assertEquals(reads, turns, "one read a turn");
      assertEquals(connection.attached, turns === 6);
      assertEquals(node.paused.delete(connection), turns < 6);
      if (turns < 6) connection.drain();
    }
    assertEquals(bodies(V1, peer.sent), ['{"n":2}', '{"n":4}', '{"n":6}']);
    assertEquals(node.waiting.has(connection), false);
  }
});

Deno.test("Outbox: many plain connections get a message over several turns, each its own in order", () => {
  const node = new Node();
  const peers = Array.from({ length: 2_000 }, () => new Peer(65_536));
  for (const peer of peers) node.connect(PLAIN, ["a"], peer);
  for (let n = 0; n < 3; n++) {
    node.hub.deliver(["a"], new ServerMessage(`{"n":${n}}`, START));
  }
  const sentAtOnce = peers.reduce((sum, { sent }) => sum + sent.length, 0);
  assertEquals(sentAtOnce, 500, "the others wait for the end of the turn");
  for (let turns = 0; turns < 3; turns++) node.endTurn();
  for (const { sent } of peers) assertEquals(sent, ['{"n":0}', '{"n":1}', '{"n":2}']);
});
