/**
 * Two nodes hear the same two sources, each at its own pace; clients go back and forth between them.
 * What the history says and replays is compared with a model that keeps everything and looks at all
 * of it each time, and what clients get with what was sent.
 */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { History } from "../../../src/core/history/history.ts";
import type { HistoryEntry } from "../../../src/core/history/history_entry.ts";
import {
  type BroughtPosition,
  formatCursor,
  parseCursor,
  type Position,
  type Source,
} from "../../../src/core/position.ts";
import type { Replay } from "../../../src/core/history/replay.ts";

/** How much there is of each source up to a place: the model's position. */
type Counts = Record<Source, number>;

const MAX_AGE_MS = 100;
const MAX_BYTES = 6_000;
/** So little that reads pause after a few envelopes. */
const MAX_READ_WORK = 4_000;
const SOURCES = ["channel", "stream"] as const;
const CLIENTS = [["a"], ["a", "b"], ["c"], []];
const RECIPIENTS = [
  "*",
  ["a"],
  ["b"],
  ["b", "a"],
  ["c", "elsewhere"],
  ["elsewhere"],
  "junk",
] as const;

interface Sent {
  readonly recipients: (typeof RECIPIENTS)[number];
  readonly text: string;
  readonly body: string;
}

/** What Redis has: the n-th message of a source counts n. Markers lie among the channel's messages. */
class Redis {
  readonly sent: Record<Source, Sent[]> = { channel: [], stream: [] };
  readonly channel: (Sent | string)[] = [];
  #number = 0;

  send(source: Source, recipients: Sent["recipients"], padding: number): void {
    const rest = `"n":${++this.#number},"padding":"${"x".repeat(padding)}"}`;
    const text = `{"recipients":${JSON.stringify(recipients)},${rest}`;
    const sent = { recipients, text, body: `{${rest}` };
    this.sent[source].push(sent);
    if (source === "channel") this.channel.push(sent);
  }

  beat(): void {
    this.channel.push(`b${this.channel.length}`);
  }

  /** The place of a cursor; the channel's part is undefined where it has no beat. */
  place(
    { stream, marker = "", since }: BroughtPosition,
  ): { stream: number; channel: number | undefined } {
    const count = this.sent.stream.findIndex((_, i) => idOf(i + 1) === stream) + 1;
    if (marker === "") return { stream: count, channel: undefined };
    const before = this.channel.slice(0, this.channel.indexOf(marker));
    return { stream: count, channel: before.filter((it) => typeof it !== "string").length + since };
  }
}

/** Ids that are not ordered as texts. */
function idOf(count: number): string {
  return count === 0 ? "0-0" : `${8 + Math.floor(count / 3)}-${9 + count % 3}`;
}

function isFor({ recipients }: Sent, client: readonly string[]): boolean {
  if (recipients === "junk") return false;
  return recipients === "*" || recipients.some((recipient) => client.includes(recipient));
}

/** An envelope as a node heard it. */
interface Arrival {
  readonly source: Source;
  readonly sent: Sent;
  readonly at: number;
  readonly size: number;
  /** Where the node was with it. */
  readonly counts: Counts;
}

class Node {
  history!: History;
  arrivals: Arrival[] = [];
  trimmed = 0;
  counts: Counts = { channel: 0, stream: 0 };
  /** The places before which no client resumes here. */
  start: Counts = { channel: 0, stream: 0 };
  /** The next of Redis's channel items, and the first since the last break. */
  next = 0;
  subscribed = 0;
  breaks = 0;
  readonly world: World;

  constructor(world: World, past: number) {
    this.world = world;
    this.restart(past);
  }

  /** Starts it, with the last `past` entries in its window. */
  restart(past: number): void {
    const { redis, now } = this.world;
    const entries = redis.sent.stream.length;
    this.history = new History({
      maxAgeMs: MAX_AGE_MS,
      maxBytes: MAX_BYTES,
      maxMessageBytes: 1_000,
      hashSeed: 7,
      maxReadWork: MAX_READ_WORK,
      sources: SOURCES,
    });
    this.arrivals = [];
    this.trimmed = 0;
    this.breaks = 0;
    this.next = this.subscribed = redis.channel.length;
    this.counts = { channel: redis.sent.channel.length, stream: Math.max(0, entries - past) };
    this.start = {
      channel: this.counts.channel,
      stream: Math.min(this.counts.stream + 1, entries),
    };
    while (this.counts.stream < entries) this.hearEntry(now);
    this.history.historyLoaded(idOf(entries));
  }

  hear(source: Source, now: number): void {
    if (source === "stream") {
      if (this.counts.stream < this.world.redis.sent.stream.length) this.hearEntry(now);
      return;
    }
    const item = this.world.redis.channel[this.next];
    if (item === undefined) return;
    this.next++;
    if (typeof item === "string") {
      this.history.marker(item, now);
      this.trim(now);
    } else {
      this.counts = { ...this.counts, channel: this.counts.channel + 1 };
      this.keep("channel", item, this.history.message(item.text, now), now);
    }
  }

  hearEntry(now: number): void {
    const sent = this.world.redis.sent.stream[this.counts.stream]!;
    this.counts = { ...this.counts, stream: this.counts.stream + 1 };
    this.keep("stream", sent, this.history.entry(idOf(this.counts.stream), sent.text, now), now);
  }

  keep(source: Source, sent: Sent, entry: HistoryEntry, at: number): void {
    // The window reckons with 256 bytes for what an envelope takes besides its text.
    const size = sent.text.length * 2 + 256;
    this.arrivals.push({ source, sent, at, size, counts: this.counts });
    this.trim(at);
    const attached = this.world.clients.filter((client) =>
      client.node === this && client.replay === undefined && isFor(sent, client.recipients)
    );
    // As in the gateway, an envelope is read only where a client hears it.
    if (attached.length === 0) return;
    const delivery = entry.read();
    assert(typeof delivery !== "string");
    for (const client of attached) {
      client.receive(source, this.counts[source], delivery.event.body);
      client.reach(delivery.event.position, this.counts);
    }
  }

  /** Forgets what the history has forgotten, which is no less and no more than it should be. */
  trim(now: number): void {
    const { window } = this.history;
    assert(window.first >= this.trimmedBy(now, 0), "too much is kept");
    assert(window.first <= this.trimmedBy(now, this.#extra), "too much was forgotten");
    this.sync();
  }

  /** What the window takes besides its envelopes, when it was looked at last. */
  #extra = 0;

  sync(): void {
    const { window } = this.history;
    assert(window.bytes <= MAX_BYTES, "the window takes too much");
    while (this.trimmed < window.first) {
      const { counts } = this.arrivals[this.trimmed++]!;
      for (const source of SOURCES) {
        this.start[source] = Math.max(this.start[source], counts[source]);
      }
    }
    this.#extra = window.bytes - this.bytesFrom(this.trimmed);
  }

  bytesFrom(number: number): number {
    return this.arrivals.slice(number).reduce((sum, { size }) => sum + size, 0);
  }

  /** Up to where envelopes are too old, or too much together with `extra`. */
  trimmedBy(now: number, extra: number): number {
    let first = this.trimmed;
    const isTooMuch = ({ at }: Arrival) =>
      at < now - MAX_AGE_MS || this.bytesFrom(first) + extra > MAX_BYTES;
    while (first < this.arrivals.length && isTooMuch(this.arrivals[first]!)) first++;
    return first;
  }

  /** Loses the next `count` of a source, and knows that it lost some. */
  lose(source: Source, count: number): void {
    const { redis } = this.world;
    this.breaks++;
    if (source === "channel") {
      this.next = this.subscribed = Math.min(this.next + count, redis.channel.length);
      const before = redis.channel.slice(0, this.next);
      const channel = before.filter((item) => typeof item !== "string").length;
      this.counts = { ...this.counts, channel };
      this.start.channel = channel;
      this.history.gap("channel");
    } else {
      const stream = Math.min(this.counts.stream + count, redis.sent.stream.length);
      // Where it goes on from the same id, that may be the same id in another stream.
      this.start.stream = stream === this.counts.stream ? stream + 1 : stream;
      this.counts = { ...this.counts, stream };
      this.history.gap("stream", idOf(stream));
    }
    for (const client of this.world.clients) {
      if (client.node === this && client.replay === undefined) client.told();
    }
  }

  /** What `History.resume` should answer, by source. */
  judge(position: BroughtPosition): Record<Source, string> {
    const { stream, channel } = this.world.redis.place(position);
    return {
      stream: this.judgeSource("stream", stream),
      channel: this.judgeChannel(position.marker ?? "", channel ?? 0),
    };
  }

  judgeSource(source: Source, place: number): string {
    if (place < this.start[source]) return "lost";
    return place > this.counts[source] ? "ahead" : "known";
  }

  judgeChannel(marker: string, place: number): string {
    if (marker === "") return "lost";
    const number = this.world.redis.channel.indexOf(marker);
    const isHeard = number >= this.subscribed && number < this.next;
    return isHeard ? this.judgeSource("channel", place) : "unknown marker";
  }
}

/** A client's replay, in the model. */
interface Reading {
  readonly had: Counts;
  /** The number behind the last arrival that it surely has read. */
  next: number;
  /** Where it was left behind it goes on from here at the latest. */
  latest: number;
  breaks: number;
}

class Client {
  readonly recipients: readonly string[];
  readonly world: World;
  node: Node | undefined;
  replay: { readonly real: Replay; readonly model: Reading } | undefined;
  cursor: string | undefined;
  /** Everything up to here was received, or it was told that something may be missing. */
  have: Counts = { channel: 0, stream: 0 };
  /** Whether it was told in the middle of a replay. */
  excused = false;

  constructor(world: World, recipients: readonly string[]) {
    this.world = world;
    this.recipients = recipients;
  }

  connect(node: Node, patient: boolean): void {
    this.disconnect();
    if (this.cursor === undefined) {
      this.node = node;
      return this.told();
    }
    const position = parseCursor(this.cursor);
    assert(position !== undefined);
    const expected = node.judge(position);
    // A marker before the window may be forgotten or not: no client resumes there in any case.
    const { channel = 0 } = this.world.redis.place(position);
    let result = node.history.resume(position, this.recipients);
    const isForgotten = expected.channel === "lost" && channel < node.start.channel;
    if (isForgotten && result.state === "undecided" && result.undecided.has("unknown marker")) {
      expected.channel = "unknown marker";
    }
    for (const state of Object.values(expected)) this.world.seen(state);
    const undecided = Object.values(expected).filter((it) => it === "ahead" || it.startsWith("un"));
    assertEquals(result.state, undecided.length > 0 ? "undecided" : "decided");
    if (result.state === "undecided") {
      assertEquals(result.undecided as Set<string>, new Set(undecided));
      if (patient) return;
      result = node.history.resume(position, this.recipients, { isFinal: true });
    }
    assert(result.state === "decided");
    const lost = SOURCES.filter((source) => expected[source] !== "known");
    assertEquals(result.lost, lost);
    if (lost.length === 1) this.world.seen(`${lost[0]} alone lost`);
    this.node = node;
    this.excused = false;
    for (const source of lost) this.have[source] = node.counts[source];
    this.replay = {
      real: result.replay,
      model: { had: { ...this.have }, next: this.first(node), latest: 0, breaks: node.breaks },
    };
    // A client may adopt the cursor of `welcome` at once.
    this.check(result.replay.position);
    this.cursor = formatCursor(result.replay.position);
  }

  /** The number of the first arrival that the client does not have. */
  first(node: Node): number {
    const first = node.arrivals.findIndex(({ source, counts }, number) =>
      number >= node.trimmed && counts[source] > this.have[source]
    );
    return first < 0 ? node.arrivals.length : first;
  }

  disconnect(): void {
    this.node = undefined;
    this.replay = undefined;
  }

  /** It was told that something may be missing, and goes on from where its node is. */
  told(): void {
    this.excused = false;
    this.have = { ...this.node!.counts };
    this.cursor = formatCursor(this.node!.history.position);
  }

  /** Reads its replay on; attaches where that ends. */
  read(maxSize: number): void {
    const { node, replay } = this;
    if (node === undefined || replay === undefined) return;
    const { real, model } = replay;
    const broken = model.breaks !== node.breaks;
    model.breaks = node.breaks;
    // What is not for it may have been read or not when the last read paused.
    const isNext = this.nextArrival(Math.max(model.next, model.latest));
    const first = node.trimmed;
    const mustBeBehind = isNext < first;

    const events = real.read(maxSize);
    node.sync();
    const { overtaken } = real;
    if (mustBeBehind || broken) assert(overtaken !== undefined, "it was not told");
    if (overtaken !== undefined) {
      const mayBeBehind = model.next < node.trimmed;
      assert(mayBeBehind || broken, "it was told without a cause");
      const behind = mustBeBehind || (!broken && mayBeBehind);
      this.excused = true;
      this.world.seen(behind ? "overtaken" : "broken");
      if (mayBeBehind) {
        const from = broken ? model.next : Math.max(model.next, first);
        this.passTo(overtaken.position, { from, body: events[0]?.body });
        model.latest = node.trimmed;
      }
      this.reach(overtaken.position, this.have);
    }
    let size = 0;
    for (const event of events) {
      let number = this.nextArrival(model.next);
      while (number < model.latest && node.arrivals[number]!.sent.body !== event.body) {
        number = this.nextArrival(number + 1);
      }
      const arrival = node.arrivals[number];
      assert(arrival !== undefined, "more was read than there is");
      const { source, sent, counts } = arrival;
      assertEquals(event.body, sent.body);
      size += sent.body.length;
      assert(size <= maxSize || size === sent.body.length, "more was read than was asked for");
      model.next = number + 1;
      this.receive(source, counts[source], sent.body);
      this.pass(arrival);
      const level = SOURCES.every((source) => counts[source] >= model.had[source]);
      this.world.seen(level ? "replayed" : "replayed while one source is ahead");
      this.reach(event.position, this.have);
    }
    const left = node.arrivals[this.nextArrival(Math.max(model.next, model.latest))];
    if (real.paused) {
      assert(!real.done);
      this.world.seen("paused");
    } else if (!real.done) {
      assert(left !== undefined && events.length > 0, "it stopped without a cause");
      assert(size + left.sent.body.length > maxSize, "it stopped too early");
    } else assertEquals(left, undefined, "it is not done");
    if (real.done) {
      this.checkComplete();
      this.replay = undefined;
      this.reach(real.position, node.counts);
    }
  }

  /** The number of the next arrival from `from` on that is for it, or of the next of all. */
  nextArrival(from: number): number {
    const { node, replay } = this;
    const { arrivals } = node!;
    for (let number = from; number < arrivals.length; number++) {
      const { source, counts, sent } = arrivals[number]!;
      if (counts[source] > replay!.model.had[source] && isFor(sent, this.recipients)) return number;
    }
    return arrivals.length;
  }

  /**
   * The window left it behind, unless only its node lost something: it goes on from the place
   * `position`, of the arrival `from` or one behind it, with the message `body` if any.
   */
  passTo(position: Position, { from, body }: { from: number; body: string | undefined }): void {
    const { node, replay, have } = this;
    const { model } = replay!;
    const { arrivals, trimmed } = node!;
    for (let number = from; number <= Math.max(from, trimmed); number++) {
      this.have = { ...have };
      if (number > model.next) this.pass(arrivals[number - 1]!);
      const next = arrivals[this.nextArrival(number)]?.sent.body;
      if (this.isAt(position) && (body === undefined || body === next)) {
        model.next = number;
        return;
      }
    }
    assert(false, `it was told of no place that it passed: ${formatCursor(position)}`);
  }

  /** Its node was here, so the client is, unless it was further. */
  pass({ counts }: Arrival): void {
    const { had } = this.replay!.model;
    for (const source of SOURCES) this.have[source] = Math.max(had[source], counts[source]);
  }

  receive(source: Source, count: number, body: string): void {
    const { sent } = this.world.redis;
    assertEquals(sent[source][count - 1]!.body, body);
    // With `pass` the other source may have been moved on already, never this one.
    assert(count > this.have[source], "received twice, or in disorder");
    if (!this.excused) this.checkNone(source, this.have[source], count - 1);
    this.have[source] = count;
  }

  /** The client has a new cursor, which should name the place `counts`. */
  reach(position: Position, counts: Counts): void {
    this.have = { ...counts };
    this.check(position);
    this.cursor = formatCursor(position);
  }

  isAt(position: Position): boolean {
    const { stream, channel } = this.world.redis.place(position);
    return stream === this.have.stream && (channel ?? this.have.channel) === this.have.channel;
  }

  check(position: Position): void {
    const { stream, channel } = this.world.redis.place(position);
    assertEquals(stream, this.have.stream);
    assertEquals(channel ?? this.have.channel, this.have.channel);
  }

  /** Fails where something up to its node's place was neither received nor said to be missing. */
  checkComplete(): void {
    if (this.excused) return;
    for (const source of SOURCES) {
      this.checkNone(source, this.have[source], this.node!.counts[source]);
    }
  }

  checkNone(source: Source, from: number, to: number): void {
    const missing = this.world.redis.sent[source].slice(from, to)
      .filter((sent) => isFor(sent, this.recipients));
    assertEquals(missing, [], "missing, and nothing was said");
  }

  ping(): void {
    if (this.node === undefined || this.replay !== undefined) return;
    this.checkComplete();
    this.reach(this.node.history.position, this.node.counts);
  }
}

class World {
  now = 0;
  readonly seen: (what: string) => void;
  readonly redis = new Redis();
  readonly nodes = [new Node(this, 0), new Node(this, 0)];
  readonly clients = CLIENTS.map((recipients) => new Client(this, recipients));

  constructor(seen: (what: string) => void) {
    this.seen = seen;
    this.redis.beat();
    for (const node of this.nodes) node.hear("channel", this.now);
  }
}

type Step = (world: World) => void;

const source = fc.constantFrom(...SOURCES);
const node = fc.nat(1);
const client = fc.nat(CLIENTS.length - 1);

function step<T extends unknown[]>(
  name: string,
  values: { [K in keyof T]: fc.Arbitrary<T[K]> },
  take: (world: World, ...values: T) => void,
): fc.Arbitrary<Step> {
  return fc.tuple<T>(...values).map((values) =>
    Object.assign((world: World) => take(world, ...values), {
      toString: () => `${name}(${values})`,
    })
  );
}

const send = step(
  "send",
  [source, fc.constantFrom(...RECIPIENTS), fc.nat(300)],
  (world, source, recipients, padding) => world.redis.send(source, recipients, padding),
);
const beat = step("beat", [], (world) => world.redis.beat());
const hear = step("hear", [node, source, fc.integer({ min: 1, max: 6 })], (world, i, source, n) => {
  while (n-- > 0) world.nodes[i]!.hear(source, world.now);
});
const level = step("hear everything", [node], (world, i) => {
  const { redis, now } = world;
  const node = world.nodes[i]!;
  while (node.next < redis.channel.length) node.hear("channel", now);
  while (node.counts.stream < redis.sent.stream.length) node.hear("stream", now);
});
const connect = step("connect", [client, node, fc.boolean()], (world, i, node, patient) => {
  world.clients[i]!.connect(world.nodes[node]!, patient);
});
const read = step("read", [client, fc.nat(900)], (world, i, size) => world.clients[i]!.read(size));
const ping = step("ping", [client], (world, i) => world.clients[i]!.ping());
const disconnect = step("disconnect", [client], (world, i) => world.clients[i]!.disconnect());
const pass = step("pass", [fc.integer({ min: 1, max: 30 })], (world, ms) => {
  world.now += ms;
});
const lose = step("lose", [node, source, fc.nat(4)], (world, i, source, count) => {
  world.nodes[i]!.lose(source, count);
});
const restart = step("restart", [node, fc.nat(5)], (world, i, past) => {
  const node = world.nodes[i]!;
  for (const client of world.clients) if (client.node === node) client.disconnect();
  node.restart(past);
});

Deno.test("clients that go from node to node miss nothing and get nothing twice, or are told", () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          { weight: 30, arbitrary: send },
          { weight: 10, arbitrary: beat },
          { weight: 45, arbitrary: hear },
          { weight: 2, arbitrary: level },
          { weight: 20, arbitrary: connect },
          { weight: 20, arbitrary: read },
          { weight: 6, arbitrary: ping },
          { weight: 3, arbitrary: disconnect },
          { weight: 2, arbitrary: pass },
          { weight: 1, arbitrary: lose },
          { weight: 1, arbitrary: restart },
        ),
        { minLength: 50, maxLength: 300, size: "max" },
      ),
      (steps) => {
        const world = new World((what) => seen.set(what, (seen.get(what) ?? 0) + 1));
        for (const take of steps) take(world);
      },
    ),
    { numRuns: 6_000 },
  );
  // A model test is as good as the cases that come up in it.
  for (
    const what of [
      "known",
      "ahead",
      "unknown marker",
      "stream alone lost",
      "channel alone lost",
      "lost",
      "replayed",
      "replayed while one source is ahead",
      "overtaken",
      "broken",
      "paused",
    ]
  ) assert((seen.get(what) ?? 0) > 100, `Seldom seen: ${what}`);
});
