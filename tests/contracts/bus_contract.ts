/** What every bus keeps, whatever is behind it. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { compareIds } from "../../src/core/position.ts";
import { type Bus, IdempotencyConflict } from "../../src/bus/port.ts";
import { Recorder } from "../bus/recorder.ts";
import { waitFor } from "../support/wait.ts";

/** One bus to be tested, of a system of its own. */
export interface BusUnderTest extends AsyncDisposable {
  readonly bus: Bus;
  /** The notices that backends have heard so far, as `<channel> <payload>`. */
  readonly notices: readonly string[];
}

/** Runs the contract on the buses that `create` makes, with a stream or without. */
export function testBus(
  name: string,
  create: (options: { stream: boolean }) => Promise<BusUnderTest>,
): void {
  for (const stream of [true, false]) {
    const test = (sentence: string, fn: (under: BusUnderTest) => Promise<void>) => {
      Deno.test(`${name}, ${stream ? "with" : "without"} a stream, ${sentence}`, async () => {
        await using under = await create({ stream });
        await fn(under);
      });
    };
    const kind = stream ? "entry" : "message";

    test("is unhealthy until it listens, and then hears", async ({ bus }) => {
      assertEquals(typeof bus.unhealthyReason, "string");
      bus.listen(new Recorder());
      await waitFor("the bus to hear", () => bus.unhealthyReason === undefined);
    });

    test("says nothing before listen has returned", async ({ bus }) => {
      const recorder = new Recorder();
      bus.listen(recorder);
      assertEquals(recorder.lines, []);
      await recorder.heard("filled");
    });

    test("says once that the window is filled, before what is live", async ({ bus }) => {
      const recorder = await listenTo(bus);
      await bus.publish("live");
      await recorder.heard(`${kind} live`);
      assertEquals(recorder.lines.filter((line) => line === "filled").length, 1);
      assertMatch(recorder.filledWith ?? "", /^\d+-\d+$/);
      if (stream) assert(compareIds(recorder.filledWith ?? "", recorder.ids[0] ?? "") < 0);
    });

    test("beats, with ids that a cursor can hold", async ({ bus }) => {
      const recorder = await listenTo(bus);
      await recorder.heard("beat");
      assertMatch(recorder.beats[0] ?? "", /^[A-Za-z0-9_-]{1,32}$/);
      assertEquals(recorder.ownBeats, recorder.beats.length);
    });

    test("beats anew when it is asked to, without waiting for the next to be due", async ({ bus }) => {
      const recorder = await listenTo(bus);
      await recorder.heard("beat");
      const start = performance.now();
      for (let beats = recorder.ownBeats; beats < 5; beats++) {
        bus.probe();
        await waitFor("one more beat", () => recorder.ownBeats > beats);
      }
      // Four that are due would take 12 s.
      const ms = performance.now() - start;
      assert(ms < 8_000, `they took ${ms} ms`);
      assertEquals(new Set(recorder.beats).size, recorder.beats.length);
    });

    test("hands over what is published, once, in order, unchanged", async ({ bus }) => {
      const recorder = await listenTo(bus);
      const texts = Array.from({ length: 300 }, (_, at) => `{"n":${at},"text":"ä\\u0000 €😀\\n"}`);
      texts.push("", "not JSON at all", '{"n":12345678901234567890}', "x".repeat(300_000));
      await Promise.all(texts.map((text) => bus.publish(text)));
      await bus.publish("the last");
      await recorder.heard(`${kind} the last`);
      assertEquals(recorder.news, [...texts, "the last"].map((text) => `${kind} ${text}`));
    });

    test("returns the id under which the entry comes, and ids rise", async ({ bus }) => {
      const recorder = await listenTo(bus);
      const ids: (string | undefined)[] = [];
      for (let at = 0; at < 50; at++) ids.push(await bus.publish(`${at}`));
      await recorder.heard(`${kind} 49`);
      if (!stream) return assertEquals(new Set(ids), new Set([undefined]));
      assertEquals(recorder.ids, ids as string[]);
      assertEquals(recorder.ids.toSorted(compareIds), recorder.ids);
    });

    test("publishes once under an idempotency key, and returns the first id", async ({ bus }) => {
      const recorder = await listenTo(bus);
      const once = (text: string, idempotencyKey: string) => bus.publish(text, { idempotencyKey });
      const ids = await Promise.all(Array.from({ length: 20 }, () => once('{"n":1.0}', "a key")));
      ids.push(await once('{"n":1.0}', "a key"));
      assertEquals(new Set(ids).size, 1);
      assertEquals(typeof ids[0], stream ? "string" : "undefined");
      await once('{"n":1.0}', "another");
      await bus.publish("the last");
      await recorder.heard(`${kind} the last`);
      const lines = ['{"n":1.0}', '{"n":1.0}', "the last"].map((text) => `${kind} ${text}`);
      assertEquals(recorder.news, lines);
      if (stream) assertEquals(recorder.ids[0], ids[0]);
    });

    test("keeps the order of what is published at once, whatever has a key", async ({ bus }) => {
      const recorder = await listenTo(bus);
      const texts = Array.from({ length: 100 }, (_, at) => `${at}`);
      await Promise.all(
        texts.map((text, at) =>
          bus.publish(text, { idempotencyKey: at % 3 === 0 ? `key:${at}` : undefined })
        ),
      );
      await recorder.heard(`${kind} 99`);
      assertEquals(recorder.news, texts.map((text) => `${kind} ${text}`));
    });

    test("carries a trace beside the entry, never in its text", async ({ bus }) => {
      const recorder = await listenTo(bus);
      await bus.publish("one", { traceparent: "a trace" });
      await bus.publish("two", { traceparent: "another", idempotencyKey: "key" });
      await bus.publish("three", { idempotencyKey: "other" });
      await bus.publish("four");
      await recorder.heard(`${kind} four`);
      assertEquals(recorder.news, ["one", "two", "three", "four"].map((text) => `${kind} ${text}`));
      const traces = stream ? ["a trace", "another", undefined, undefined] : [];
      assertEquals(recorder.traceparents, traces);
    });

    test("publishes no other envelope under the same idempotency key", async ({ bus }) => {
      const recorder = await listenTo(bus);
      const once = (text: string) => bus.publish(text, { idempotencyKey: "key" });
      await once("one");
      await assertRejects(() => once("two"), IdempotencyConflict);
      await once("one");
      await bus.publish("the last");
      await recorder.heard(`${kind} the last`);
      assertEquals(recorder.news, [`${kind} one`, `${kind} the last`]);
    });

    test("hands an order to disconnect over, once each", async ({ bus }) => {
      const recorder = await listenTo(bus);
      await bus.disconnect({ recipients: ["ä b", "c"], keyHashes: [] });
      await bus.disconnect({ recipients: [], keyHashes: ["hash"] });
      await bus.disconnect({ recipients: [], keyHashes: ["hash"] });
      await waitFor("three orders", () => recorder.news.length === 3);
      assertEquals(recorder.news, ["disconnect ä b,c ", "disconnect  hash", "disconnect  hash"]);
    });

    test("names a position behind all that was published before the question", async ({ bus }) => {
      const recorder = await listenTo(bus);
      const before = await bus.cursor();
      if (!stream) assertEquals(before.stream, "0-0");
      for (let at = 0; at < 3; at++) {
        const id = await bus.publish(`${at}`);
        const heard = recorder.beats.length;
        const position = await bus.cursor();
        assertEquals(position.since, 0);
        if (stream) assertEquals(position.stream, id);
        assert(recorder.beats.indexOf(position.marker ?? "") >= heard, "the marker is new");
      }
      // The messages of the channel come before the marker that was sent behind them.
      if (!stream) {
        assert(recorder.lines.indexOf("message 2") < recorder.lines.lastIndexOf("beat"));
      }
    });

    test("answers questions for the position that come at once", async ({ bus }) => {
      const recorder = await listenTo(bus);
      const questions = Array.from({ length: 50 }, () => bus.cursor());
      for (const { marker } of await Promise.all(questions)) {
        assert(recorder.beats.includes(marker ?? ""));
      }
    });

    test("publishes notices for backends, in order", async (under) => {
      await listenTo(under.bus);
      await under.bus.notify("connected", "ä key");
      await under.bus.notify("disconnected", "ä key");
      await waitFor("the notices", () => under.notices.length === 2);
      assertEquals(under.notices, ["connected ä key", "disconnected ä key"]);
    });

    test("asks every node what operators want to know, itself too", async ({ bus }) => {
      await listenTo(bus);
      bus.inquiries.answerWith((question) => ({ to: question }));
      const answers = await bus.inquiries.ask({ kind: "ä" }, {
        waitMs: 20_000,
        enough: ({ size }) => size === 1,
      });
      assertEquals([...answers.values()], [{ to: { kind: "ä" } }]);
      bus.inquiries.answerWith(() => undefined);
      const none = await bus.inquiries.ask({}, { waitMs: 50, enough: () => false });
      assertEquals(none.size, 0);
    });

    test("says nothing more once it is disposed", async ({ bus }) => {
      const recorder = await listenTo(bus);
      await bus[Symbol.asyncDispose]();
      const said = recorder.lines.length;
      await bus.publish("too late").catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 0));
      assertEquals(recorder.lines.length, said);
    });
  }
}

async function listenTo(bus: Bus): Promise<Recorder> {
  const recorder = new Recorder();
  bus.listen(recorder);
  await waitFor("the bus to hear", () => bus.unhealthyReason === undefined);
  return recorder;
}
