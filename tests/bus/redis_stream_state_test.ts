import { assertEquals } from "@std/assert";
import { RedisStreamState } from "../../src/bus/redis_stream_state.ts";

Deno.test("RedisStreamState: starts, loads its window, and is live once", () => {
  const state = new RedisStreamState();
  assertEquals(state.phase, "starting");
  state.load("5-0", undefined);
  assertEquals(state.phase, "loading");
  assertEquals([state.goLive(), state.phase, state.goLive()], [true, "live", false]);
});

Deno.test("RedisStreamState: what was there at the start is past, until it is live", () => {
  const state = new RedisStreamState();
  state.load("5-0", undefined);
  assertEquals([state.isPast("5-0"), state.isPast("5-1")], [true, false]);
  state.goLive();
  assertEquals(state.isPast("5-0"), false);
});

Deno.test("RedisStreamState: begins behind the last entry before its window", () => {
  const state = new RedisStreamState();
  state.load("5-0", "3-0");
  assertEquals([state.last, state.lastEntryKnown], ["3-0", true]);
});

Deno.test("RedisStreamState: goes on behind the window's end where its last entries are gone", () => {
  const state = new RedisStreamState();
  state.load("5-0", "3-0");
  state.goLive();
  assertEquals([state.last, state.lastEntryKnown], ["5-0", false]);
});

Deno.test("RedisStreamState: an entry that was read must still be there, a jump's need not", () => {
  const state = new RedisStreamState();
  state.advance("7-0");
  assertEquals([state.last, state.lastEntryKnown], ["7-0", true]);
  state.forgetEntry();
  assertEquals([state.last, state.lastEntryKnown], ["7-0", false]);
  state.advance("8-0");
  state.jump("9-0");
  assertEquals([state.last, state.lastEntryKnown], ["9-0", false]);
});
