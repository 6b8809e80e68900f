import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { HistoryEntry } from "../../../src/core/history/history_entry.ts";
import { History, type HistoryOptions } from "../../../src/core/history/history.ts";
import { type BroughtPosition, parseCursor, type Position } from "../../../src/core/position.ts";
import type { Replay } from "../../../src/core/history/replay.ts";

const DEFAULTS: HistoryOptions = {
  hashSeed: 7,
  maxAgeMs: 1_000,
  maxBytes: 1_000_000,
  maxMessageBytes: 10_000,
  sources: ["channel", "stream"],
};

/** A node that has heard the beat `b1` and nothing else. */
function started(options: Partial<HistoryOptions> = {}): History {
  const history = new History({ ...DEFAULTS, ...options });
  history.historyLoaded("0-0");
  history.marker("b1", 0);
  return history;
}

function envelope(recipients: string | string[], n: number): string {
  return JSON.stringify({ recipients, n });
}

function known(history: History, position: BroughtPosition, recipients = ["ann"]): Replay {
  assertEquals(state(history, position, recipients), "known");
  const result = history.resume(position, recipients);
  assert(result.state === "decided");
  return result.replay;
}

/** What a client at `position` is told: `known`, what it waits for, or what is lost to it. */
function state(history: History, position: BroughtPosition, recipients = ["ann"]): string {
  const result = history.resume(position, recipients);
  if (result.state === "undecided") return [...result.undecided].join(" and ");
  return result.lost.length === 0 ? "known" : `lost: ${result.lost.join(" and ")}`;
}

function bodies(replay: Replay, maxSize = 1_000_000): string[] {
  return replay.read(maxSize).map(({ body }) => body);
}

/** All bodies, however often the replay pauses. */
function readAll(replay: Replay): string[] {
  const all: string[] = [];
  for (let reads = 0; reads === 0 || !replay.done; reads++) {
    assert(reads < 10_000, "a read must get on");
    all.push(...bodies(replay));
  }
  return all;
}

function event(entry: HistoryEntry) {
  const delivery = entry.read();
  assert(typeof delivery !== "string");
  return delivery.event;
}

Deno.test("a client is replayed what it missed of both sources, in order, and nothing else", () => {
  const history = started();
  history.message(envelope("*", 1), 0);
  const { position } = history;
  history.entry("5-0", envelope(["ann"], 2), 0);
  history.message(envelope(["bob"], 3), 0);
  history.message("{", 0);
  history.message(envelope("*", 4), 0);
  history.entry("5-1", envelope(["bob", "ann"], 5), 0);
  const replay = known(history, position);
  assertEquals(bodies(replay), ['{"n":2}', '{"n":4}', '{"n":5}']);
  assertEquals(replay.position, history.position);
  assertEquals([replay.done, replay.overtaken], [true, undefined]);
});

Deno.test("a message that names two of a client's recipients is replayed once", () => {
  const history = started();
  const { position } = history;
  history.message(envelope(["ann", "team"], 1), 0);
  assertEquals(bodies(known(history, position, ["team", "ann"])), ['{"n":1}']);
});

Deno.test("a message that names a client twice is replayed once, and forgotten whole", () => {
  const history = started();
  const { position } = history;
  history.message(envelope(["ann", "bob", "ann"], 1), 0);
  history.message(envelope(["ann", "ann"], 2), 500);
  assertEquals(bodies(known(history, position)), ['{"n":1}', '{"n":2}']);
  assertEquals(bodies(known(history, position, ["bob", "ann"])), ['{"n":1}', '{"n":2}']);
  const after = history.position;
  history.message(envelope(["ann"], 3), 1_001);
  assertEquals(bodies(known(history, { ...after, since: 1 })), ['{"n":2}', '{"n":3}']);
  history.marker("b2", 3_000);
  assertEquals([history.window.postings, history.window.bytes], [0, 0]);
});

Deno.test("a recipient whose name is * hears what is for it and what is for everyone", () => {
  const history = started();
  const { position } = history;
  history.message(envelope("*", 1), 0);
  history.message(envelope(["*"], 2), 0);
  assertEquals(bodies(known(history, position, ["*"])), ['{"n":1}', '{"n":2}']);
  assertEquals(bodies(known(history, position, ["ann"])), ['{"n":1}']);
});

Deno.test("clients that missed the same are told the same event, so its text is made once", () => {
  const history = started();
  const { position } = history;
  const live = [
    event(history.message(envelope(["ann"], 1), 0)),
    event(history.entry("5-0", envelope("*", 2), 0)),
    event(history.message(envelope(["ann"], 3), 0)),
  ];
  const replayed = known(history, position).read(1_000_000);
  assertEquals(replayed, live);
  const again = known(history, position).read(1_000_000);
  replayed.forEach((event, i) => assert(again[i] === event));
});

Deno.test("messages that come within a millisecond, and around beats, keep their places", () => {
  const history = started();
  const places: Position[] = [history.position];
  const heard = (step: () => unknown) => {
    step();
    places.push(history.position);
  };
  heard(() => history.message(envelope(["ann"], 1), 0));
  heard(() => history.message(envelope(["ann"], 2), 0.4));
  heard(() => history.marker("b2", 0.5));
  heard(() => history.message(envelope(["ann"], 3), 0.6));
  heard(() => history.entry("5-0", envelope(["ann"], 4), 0.7));
  heard(() => history.message(envelope(["ann"], 5), 0.8));
  heard(() => history.entry("5-1", envelope(["ann"], 6), 0.9));
  heard(() => history.message(envelope(["ann"], 7), 1.9));
  const at = (stream: string, marker: string, since: number) => ({ stream, marker, since });
  assertEquals(places, [
    at("0-0", "b1", 0),
    at("0-0", "b1", 1),
    at("0-0", "b1", 2),
    at("0-0", "b2", 0),
    at("0-0", "b2", 1),
    at("5-0", "b2", 1),
    at("5-0", "b2", 2),
    at("5-1", "b2", 2),
    at("5-1", "b2", 3),
  ]);
  const replayed = known(history, places[0]!).read(1_000_000);
  assertEquals(
    replayed.map(({ position }) => position),
    places.filter((_, i) => i !== 0 && i !== 3),
  );
});

Deno.test("a replay is read at the client's pace, at least one event at a time", () => {
  const history = started();
  const { position } = history;
  for (let n = 0; n < 5; n++) history.message(envelope(["ann"], n), 0);
  const replay = known(history, position);
  assertEquals(bodies(replay, 0), ['{"n":0}']);
  assertEquals(replay.position, { ...position, since: 1 });
  assertEquals(bodies(replay, 15), ['{"n":1}', '{"n":2}']);
  assertEquals(replay.done, false);
  history.message(envelope(["ann"], 5), 0);
  assertEquals(bodies(replay, 21), ['{"n":3}', '{"n":4}', '{"n":5}']);
  assertEquals(replay.done, true);
  assertEquals(bodies(replay), []);
});

Deno.test("a replay that has reached the head goes on with what comes", () => {
  const history = started();
  const replay = known(history, history.position);
  assertEquals(bodies(replay), []);
  assertEquals(replay.done, true);
  history.message(envelope(["ann"], 1), 0);
  assertEquals(replay.done, false);
  assertEquals(bodies(replay), ['{"n":1}']);
});

Deno.test("a client resumes on another node that heard the sources in another order", () => {
  const here = started();
  const there = started();
  const other = envelope(["bob"], 0);
  // The client hears the stream up to 5-1 here, and of the channel one message.
  here.entry("5-0", envelope(["ann"], 10), 0);
  here.message(envelope(["ann"], 1), 0);
  here.entry("5-1", envelope(["ann"], 11), 0);
  const { position } = here;
  // There the channel came first.
  there.message(envelope(["ann"], 1), 0);
  there.message(envelope(["ann"], 2), 0);
  there.entry("5-0", envelope(["ann"], 10), 0);
  there.message(envelope(["ann"], 3), 0);
  there.entry("5-1", envelope(["ann"], 11), 0);
  there.entry("5-2", envelope(["ann"], 12), 0);
  there.message(other, 0);
  const replay = known(there, position);
  const events = replay.read(1_000_000);
  assertEquals(events.map(({ body }) => body), ['{"n":2}', '{"n":3}', '{"n":12}']);
  assertEquals(events.map((event) => event.position), [
    { stream: "5-1", marker: "b1", since: 2 },
    { stream: "5-1", marker: "b1", since: 3 },
    { stream: "5-2", marker: "b1", since: 3 },
  ]);
  // Wherever it is cut off, it goes on from there.
  assertEquals(bodies(known(there, events[0]!.position)), ['{"n":3}', '{"n":12}']);
});

Deno.test("a cursor of the way to the head never names an older beat than the client's", () => {
  const history = new History(DEFAULTS);
  history.historyLoaded("0-0");
  // Heard before the node's first beat, when no other node can follow.
  history.entry("5-0", envelope(["ann"], 1), 0);
  history.marker("b7", 0);
  const replay = known(history, { stream: "0-0", marker: "b7", since: 0 });
  assertEquals(replay.read(1_000)[0]?.position, { stream: "5-0", marker: "b7", since: 0 });
});

Deno.test("a quiet client resumes after an hour, when nothing was sent", () => {
  const history = started();
  history.message(envelope(["ann"], 1), 0);
  const { position } = history;
  for (let ms = 3_000; ms <= 3_600_000; ms += 3_000) history.marker(`b${ms}`, ms);
  assertEquals(history.window.first, history.window.end);
  assertEquals(bodies(known(history, position)), []);
});

Deno.test("a client whose messages are too old is told", () => {
  const history = started();
  const { position } = history;
  history.message(envelope(["bob"], 1), 0);
  const after = history.position;
  history.marker("b2", 1_001);
  assertEquals(state(history, position), "lost: channel");
  assertEquals(bodies(known(history, after)), []);
  history.marker("b3", 1_001);
  history.message(envelope(["bob"], 2), 1_001);
  assertEquals(bodies(known(history, after, ["bob"])), ['{"n":2}']);
});

Deno.test("an entry that is too old is missed by clients before it, and by no other", () => {
  const history = started({ sources: ["stream"] });
  history.entry("5-0", envelope(["ann"], 1), 0);
  history.entry("5-1", envelope(["ann"], 2), 500);
  history.entry("5-2", envelope(["ann"], 3), 1_200);
  const at = (stream: string) => ({ stream, marker: "", since: 0 });
  assertEquals(state(history, at("4-9")), "lost: stream");
  assertEquals(bodies(known(history, at("5-0"))), ['{"n":2}', '{"n":3}']);
});

Deno.test("the window keeps to its bytes", () => {
  const history = started({ maxBytes: 10_000 });
  for (let n = 0; n < 100; n++) {
    history.message(`{"recipients":["ann"],"n":"${"x".repeat(500)}"}`, 0);
    assert(history.window.bytes <= 10_000);
  }
  assert(history.window.end - history.window.first >= 5);
});

Deno.test("a message over the limit does not crowd out the others", () => {
  const history = started({ maxBytes: 10_000 });
  const { position } = history;
  history.message(envelope(["ann"], 1), 0);
  assertEquals(history.message("x".repeat(10_001), 0).read(), "too_large");
  assertEquals(bodies(known(history, position)), ['{"n":1}']);
});

Deno.test("a client that the window overtakes is told once, and goes on from its start", () => {
  const history = started();
  const { position } = history;
  for (let n = 0; n < 4; n++) history.message(envelope(["ann"], n), n * 500);
  const replay = known(history, { ...position, since: 1 });
  assertEquals(bodies(replay, 1), ['{"n":1}']);
  history.message(envelope(["ann"], 4), 2_100);
  assertEquals(bodies(replay, 1), ['{"n":3}']);
  assertEquals(replay.overtaken, {
    position: { ...position, since: 3 },
    sources: ["channel", "stream"],
  });
  assertEquals(bodies(replay), ['{"n":4}']);
  assertEquals(replay.overtaken, undefined);
});

Deno.test("a client is not overtaken by what was not for it", () => {
  const history = started();
  const { position } = history;
  history.message(envelope(["ann"], 1), 0);
  history.message(envelope(["bob"], 2), 0);
  history.message(envelope(["ann"], 3), 900);
  const replay = known(history, position);
  assertEquals(bodies(replay, 1), ['{"n":1}']);
  history.message(envelope(["ann"], 4), 1_500);
  assertEquals(bodies(replay), ['{"n":3}', '{"n":4}']);
  assertEquals(replay.overtaken, undefined);
});

Deno.test("after a gap of the channel no client resumes from before it, on no node", () => {
  const history = started();
  const { position } = history;
  history.gap("channel");
  assertEquals(state(history, position), "unknown marker");
  assertEquals(history.position, { stream: "0-0", marker: "", since: 0 });
  history.message(envelope(["ann"], 1), 0);
  assertEquals(state(history, history.position), "lost: channel");
  history.marker("b2", 0);
  assertEquals(bodies(known(history, history.position)), []);
});

Deno.test("after a gap of the stream its window starts anew", () => {
  const history = started();
  history.entry("5-0", envelope(["ann"], 1), 0);
  history.gap("stream", "9-0");
  const at = (stream: string) => ({ ...history.position, stream });
  history.entry("9-1", envelope(["ann"], 2), 0);
  for (const id of ["0-0", "5-0", "8-9"]) {
    assertEquals(state(history, at(id)), "lost: stream", id);
  }
  assertEquals(bodies(known(history, at("9-0"))), ['{"n":2}']);
});

Deno.test("a client of a stream that was replaced is told, wherever the new one begins", () => {
  const history = started();
  history.entry("500-0", envelope(["ann"], 1), 0);
  history.entry("500-1", envelope(["ann"], 2), 0);
  history.gap("stream", "0-0");
  const at = (stream: string) => ({ ...history.position, stream });
  for (const id of ["0-0", "500-0", "500-1"]) {
    assertEquals(state(history, at(id)), "lost: stream", id);
  }
  history.entry("7-0", envelope(["ann"], 3), 0);
  history.gap("stream", "3-0");
  history.entry("600-0", envelope(["ann"], 4), 0);
  history.entry("600-1", envelope(["ann"], 5), 0);
  assertEquals(state(history, at("500-1")), "lost: stream");
  assertEquals(bodies(known(history, at("600-0"))), ['{"n":5}']);
});

Deno.test("a client in the middle of its replay is told of a gap once, and loses nothing by it", () => {
  for (const source of ["channel", "stream"] as const) {
    const history = started();
    const { position } = history;
    for (let n = 0; n < 3; n++) history.message(envelope(["ann"], n), 0);
    const replay = known(history, position);
    assertEquals(bodies(replay, 1), ['{"n":0}']);
    history.gap(source, "0-0");
    assertEquals(bodies(replay, 1), ['{"n":1}']);
    assertEquals(replay.overtaken, { position: { ...position, since: 1 }, sources: [source] });
    assertEquals(bodies(replay, 1), ['{"n":2}']);
    assertEquals(replay.overtaken, undefined);
  }
});

Deno.test("a client that has read everything is not done while it was not told of a gap", () => {
  const history = started();
  const replay = known(history, history.position);
  assertEquals(bodies(replay), []);
  history.gap("channel");
  assertEquals(replay.done, false);
  assertEquals(bodies(replay), []);
  assertNotEquals(replay.overtaken, undefined);
  assertEquals(replay.done, true);
});

Deno.test("a position that the node has not reached is ahead until it gets there", () => {
  const history = started();
  const ahead: Position[] = [
    { stream: "5-0", marker: "b1", since: 0 },
    { stream: "0-0", marker: "b1", since: 1 },
    { stream: "0-0", marker: "b1", since: Number.MAX_SAFE_INTEGER },
    { stream: "18446744073709551615-18446744073709551615", marker: "b1", since: 0 },
  ];
  for (const position of ahead) assertEquals(state(history, position), "ahead");
  history.entry("5-0", envelope(["ann"], 1), 0);
  history.message(envelope(["ann"], 2), 0);
  assertEquals(bodies(known(history, ahead[0]!)), ['{"n":2}']);
  assertEquals(bodies(known(history, ahead[1]!)), ['{"n":1}']);
  assertEquals(state(history, ahead[2]!), "ahead");
});

Deno.test("an unknown marker is told apart, whatever is known of the stream", () => {
  const history = started();
  history.gap("stream", "9-0");
  const unknown = { marker: "b2", since: 3 };
  assertEquals(state(history, { stream: "9-0", ...unknown }), "unknown marker");
  assertEquals(state(history, { stream: "9-1", ...unknown }), "ahead and unknown marker");
  assertEquals(state(history, { stream: "8-0", ...unknown }), "unknown marker");
});

Deno.test("where the channel is off, the stream alone counts, whatever a cursor says of the channel", () => {
  const history = new History({ ...DEFAULTS, sources: ["stream"] });
  history.historyLoaded("4-0");
  history.entry("5-0", envelope(["ann"], 1), 0);
  const replay = known(history, { stream: "4-0", marker: "", since: 0 });
  assertEquals(bodies(replay), ['{"n":1}']);
  assertEquals(state(history, { stream: "4-0", marker: "b1", since: 0 }), "known");
});

Deno.test("a node that starts vouches for the stream from its first entry on", () => {
  const history = new History({ ...DEFAULTS, sources: ["stream"] });
  history.entry("5-0", envelope(["ann"], 1), 0);
  history.entry("5-1", envelope(["ann"], 2), 0);
  history.historyLoaded("5-1");
  const at = (stream: string) => ({ stream, marker: "", since: 0 });
  assertEquals(state(history, at("4-0")), "lost: stream");
  assertEquals(bodies(known(history, at("5-0"))), ['{"n":2}']);
});

Deno.test("a node that starts on an empty stream vouches for nothing before the first entry", () => {
  const history = new History({ ...DEFAULTS, sources: ["stream"] });
  history.historyLoaded("0-0");
  const at = (stream: string) => ({ stream, marker: "", since: 0 });
  // Its client may have read the stream that was there before Redis lost everything.
  assertNotEquals(state(history, at("5-0")), "known");
  history.entry("6-0", envelope(["ann"], 1), 0);
  assertEquals(state(history, at("5-0")), "lost: stream");
  assertEquals(bodies(known(history, at("0-0"))), ['{"n":1}']);
  assertEquals(bodies(known(history, at("6-0"))), []);
  history.entry("6-1", envelope(["ann"], 2), 0);
  assertEquals(bodies(known(history, at("6-0"))), ['{"n":2}']);
});

Deno.test("a node starts at the last id that the stream has given, though that entry is gone", () => {
  const history = new History({ ...DEFAULTS, sources: ["stream"] });
  history.entry("5-0", envelope(["ann"], 1), 0);
  history.entry("5-1", envelope(["ann"], 2), 0);
  history.historyLoaded("5-7");
  const at = (stream: string) => ({ stream, marker: "", since: 0 });
  assertEquals(history.position, at("5-7"));
  assertEquals(bodies(known(history, at("5-7"))), []);
  assertEquals(bodies(known(history, at("5-0"))), ['{"n":2}']);
  assertEquals(state(history, at("5-8")), "ahead");
});

Deno.test("what cannot be understood and what cannot be known is never a claim", () => {
  const history = started();
  history.entry("5-0", envelope(["ann"], 1), 0);
  history.entry("5-1", envelope(["ann"], 2), 2_000);
  for (
    const cursor of [
      "x",
      "1~2~3",
      "9".repeat(10_000_000),
      "5-0~~0",
      "5-0~b0~0",
      "1-0~b1~0",
      "6-0~b1~0",
    ]
  ) {
    const position = parseCursor(cursor);
    if (position !== undefined) assertNotEquals(state(history, position), "known");
  }
});

Deno.test("nothing of a recipient is kept after the messages that came with its last", () => {
  const history = started();
  const { position } = history;
  for (let n = 0; n < 1_000; n++) history.message(envelope([`r${n}`, `s${n % 7}`], n), n);
  bodies(known(history, position));
  assertEquals(history.window.postings, 2_000);
  history.marker("b2", 1_994);
  bodies(known(history, history.position));
  assert(history.window.postings <= 2_000);
  history.marker("b3", 3_000);
  assertEquals([history.window.postings, history.window.bytes], [0, 0]);
});

Deno.test("an envelope that no client asks for is not read", () => {
  const history = started();
  const positions = [0, 1, 2, 3, 4, 5].map((n) => {
    const { position } = history;
    history.message(envelope([`r${n}`], n), 0);
    return position;
  });
  const read = (position: Position) => {
    known(history, position).read(1_000);
    return history.window.postings;
  };
  assertEquals(read(history.position), 0);
  assertEquals(read(positions[5]!), 1);
  assertEquals(read(positions[2]!), 4);
  assertEquals(read(positions[3]!), 4);
});

Deno.test("clients that resume from further and further back cost what one of them does", () => {
  const history = started({ maxAgeMs: Infinity, maxBytes: Infinity });
  const positions: Position[] = [];
  for (let n = 0; n < 20_000; n++) {
    positions.push(history.position);
    history.message(envelope(["bob"], n), 0);
  }
  const start = performance.now();
  for (const position of positions.reverse()) assertEquals(bodies(known(history, position)), []);
  // Indexing all of it anew each time would take minutes.
  assert(performance.now() - start < 20_000);
});

Deno.test("5,000 clients resume at once at the cost of what is theirs", () => {
  const history = started({ maxAgeMs: Infinity, maxBytes: Infinity });
  const { position } = history;
  for (let n = 0; n < 100_000; n++) history.message(envelope([`r${n % 5_000}`], n), 0);
  // Reads the window once, for all of them, a slice at a time.
  assertEquals(readAll(known(history, position, ["r0"])).length, 20);
  const start = performance.now();
  for (let n = 0; n < 5_000; n++) {
    const replay = known(history, position, [`r${n}`]);
    assertEquals(replay.read(1_000_000).length, 20);
    assert(replay.done);
  }
  // Each looking at the whole window would take a minute.
  assert(performance.now() - start < 20_000);
});

/** An envelope for `count` recipients, each of which no other envelope has, and for `also`. */
function large(n: number, { count, also }: { count: number; also: string }): string {
  const names = Array.from({ length: count }, (_, i) => `${also}-${n}-${i}`);
  return JSON.stringify({ recipients: [...names, also], n });
}

Deno.test("a read does a slice of the work, whatever lies in the window, and pauses", () => {
  const maxReadWork = 500_000;
  // What one envelope of the largest here takes: to be indexed, and to be read.
  const one = 1_000_000;
  for (
    const make of [
      (n: number) => envelope([n % 500 === 0 ? "ann" : `r${n}`], n),
      (n: number) => envelope("*", n),
      (n: number) => n % 100 === 0 ? large(n, { count: 1_000, also: "ann" }) : "{",
      (n: number) => `{"n":${n}, "recipients":["bob", "ann"]}`,
      (n: number) => `{"recipients":["ann"],"n":${n},}`,
    ]
  ) {
    const maxMessageBytes = 100_000;
    const history = started({
      maxAgeMs: Infinity,
      maxBytes: Infinity,
      maxMessageBytes,
      maxReadWork,
    });
    const { position } = history;
    for (let n = 0; n < 5_000; n++) history.message(make(n), 0);
    const { window } = history;
    const expected = Array.from({ length: 5_000 }, (_, n) => n)
      .filter((n) => make(n).includes('"ann"') || make(n).includes('"*"'))
      .filter((n) => !make(n).endsWith(",}")).map((n) => `{"n":${n}}`);
    const replay = known(history, position);
    const got: string[] = [];
    let pauses = 0;
    while (!replay.done) {
      const before = window.work;
      got.push(...bodies(replay));
      const work = window.work - before;
      assert(work <= maxReadWork + one, `a read took ${work}`);
      assert(work > 0, "each read gets on");
      if (replay.paused) pauses++;
    }
    assertEquals(got, expected);
    assert(pauses > 2, `it paused ${pauses} times only`);
    assertEquals(replay.position, history.position);
    // What it did, the next one need not do.
    const before = window.work;
    assertEquals(
      readAll(known(history, position, ["other"])).length,
      make(1).includes("*") ? 5_000 : 0,
    );
    assert(window.work - before < (make(1).includes("*") ? 2_000_000 : 10_000));
  }
});

Deno.test("what comes while a replay pauses is part of it, in order and once", () => {
  const history = started({ maxAgeMs: Infinity, maxBytes: Infinity, maxReadWork: 1 });
  const { position } = history;
  for (let n = 0; n < 20; n++) history.message(envelope(["ann"], n), 0);
  const replay = known(history, position);
  const got: string[] = [];
  for (let n = 20; !replay.done; n++) {
    assert(n < 1_000, "each read gets on");
    if (n < 50) history.message(envelope(["ann"], n), 0);
    got.push(...bodies(replay));
    history.marker(`b${n}`, 0);
  }
  assertEquals(got, Array.from({ length: 50 }, (_, n) => `{"n":${n}}`));
});

Deno.test("a name is compared exactly, whatever its hash and however it is written", () => {
  // With so few bits as a hash has, some of these have equal ones.
  const names = Array.from({ length: 20_000 }, (_, n) => `name-${n}`);
  const history = started({ maxAgeMs: Infinity, maxBytes: Infinity, maxMessageBytes: 2 ** 20 });
  const { position } = history;
  history.message(JSON.stringify({ recipients: names, n: 1 }), 0);
  for (let n = 0; n < 20_000; n++) {
    const replay = known(history, position, [`other-${n}`]);
    assertEquals(readAll(replay), []);
  }
  assertEquals(readAll(known(history, position, ["name-19999"])), ['{"n":1}']);
});
