import { assertEquals } from "@std/assert";
import { CLOSE, type CloseReason } from "../../../src/core/close_codes.ts";
import { Connection, type Sink } from "../../../src/core/delivery/connection.ts";
import { FlushScheduler } from "../../../src/core/delivery/flush_scheduler.ts";
import { Hub } from "../../../src/core/delivery/hub.ts";
import { PLAIN } from "../../../src/core/format.ts";
import { ServerMessage } from "../../../src/core/server_event.ts";

const POSITION = { stream: "0-0", marker: "", since: 0 };
const message = (n: number) => new ServerMessage(`{"n":${n}}`, POSITION);

/** One connection of its own host, and all that happens to it. */
function underTest({ capacity = 1_000 } = {}) {
  const hub = new Hub();
  const sent: string[] = [];
  const closed: CloseReason[] = [];
  const ended: CloseReason[] = [];
  const ends: (() => void)[] = [];
  let blocked = 0;
  const sink: Sink = {
    capacity,
    signalsDrain: false,
    bufferedBytes: 0,
    send: (text) => sent.push(text),
    close: (reason) => closed.push(reason),
  };
  const connection = new Connection({
    hub,
    scheduler: new FlushScheduler({
      atEnd: (end) => ends.push(end),
      later: (end) => ends.push(end),
      now: () => 0,
    }),
    maxBufferedBytes: 1_000,
    onBackpressure: () => blocked++,
    onPaused: () => {},
    onEnded: (_, reason) => ended.push(reason),
  }, { recipients: ["ann"], format: PLAIN, sink });
  const endTurn = () => ends.splice(0).forEach((end) => end());
  return { hub, connection, sent, closed, ended, blocked: () => blocked, endTurn };
}

Deno.test("Connection: hears what comes from its attachment on, and not before", () => {
  const { hub, connection, sent } = underTest();
  hub.deliver(["ann"], message(1));
  connection.attach();
  connection.attach();
  hub.deliver(["ann"], message(2));
  assertEquals(sent, ['{"n":2}']);
});

Deno.test("Connection: ends once, hears nothing more, and tells sink and host why", () => {
  const { hub, connection, sent, closed, ended } = underTest();
  connection.attach();
  connection.close(CLOSE.revoked);
  connection.close(CLOSE.tooSlow);
  hub.deliver(["ann"], message(1));
  connection.push(message(2));
  assertEquals([sent, closed, ended], [[], [CLOSE.revoked], [CLOSE.revoked]]);
  assertEquals([connection.ended, connection.attached, hub.size], [true, false, 0]);
});

Deno.test("Connection: one that has ended is not attached any more", () => {
  const { hub, connection } = underTest();
  connection.close(CLOSE.goingAway);
  connection.attach();
  assertEquals(hub.size, 0);
});

Deno.test("Connection: what is asked for during a replay is owed once, behind the replay", () => {
  const { connection, sent, endTurn } = underTest();
  let made = 0;
  const make = () => message(100 + made++);
  connection.pushCurrent(make);
  connection.pushCurrent(make);
  assertEquals(made, 0);
  let done = false;
  connection.replay({
    read: () => {
      done = true;
      return [message(1)];
    },
    get done() {
      return done;
    },
    paused: false,
  });
  endTurn();
  assertEquals([made, sent], [1, ['{"n":1}', '{"n":100}']]);
  connection.pushCurrent(make);
  endTurn();
  assertEquals(sent.at(-1), '{"n":101}');
});

Deno.test("Connection: what its sink has no capacity for waits, and its host is told", () => {
  const { connection, blocked, sent, endTurn } = underTest({ capacity: 0 });
  connection.attach();
  connection.push(message(1));
  endTurn();
  assertEquals([blocked(), sent], [1, []]);
  assertEquals(connection.backlog > 0, true);
});
