import { assertEquals } from "@std/assert";
import { type Format, PLAIN, SSE, V1 } from "../../src/core/format.ts";
import {
  ControlEvent,
  gapEvent,
  heartbeatEvent,
  pongEvent,
  reconnectEvent,
  ServerMessage,
  welcomeEvent,
} from "../../src/core/server_event.ts";

const POSITION = { stream: "7-0", marker: "n-1", since: 2 };

/** A format that counts how often a message is written in it. */
function counting(format: Format): Format & { written: number } {
  return {
    ...format,
    written: 0,
    message(body, position) {
      this.written++;
      return format.message(body, position);
    },
  };
}

Deno.test("ServerMessage: is written once in each format, however many connections get it", () => {
  const message = new ServerMessage('{"n":1}', POSITION);
  for (const format of [counting(V1), counting(SSE)]) {
    const texts = [message.text(format), message.text(format), message.text(format)];
    assertEquals([new Set(texts).size, format.written], [1, 1]);
    assertEquals(texts[0], format.message('{"n":1}', POSITION));
  }
  assertEquals(message.text(PLAIN), '{"n":1}');
});

Deno.test("ServerMessage: its size is that of its body", () => {
  assertEquals(new ServerMessage('{"n":1}', POSITION).size, 7);
});

Deno.test("ControlEvent: is written once in each format, also where that has no such event", () => {
  const written: string[] = [];
  const event = new ControlEvent((format) => {
    written.push(format.name);
    return format === PLAIN ? "" : `for ${format.name}`;
  });
  for (const format of [PLAIN, V1, SSE, PLAIN, V1, SSE]) event.text(format);
  assertEquals(written, ["plain", "v1", "sse"]);
  assertEquals([event.text(PLAIN), event.text(V1)], ["", "for v1"]);
});

Deno.test("control events: each is its format's own", () => {
  const options = { recovery: { lost: [] }, retryMs: 2_000 };
  const pairs = [
    [welcomeEvent(POSITION, options), V1.welcome(POSITION, options)],
    [gapEvent(POSITION, "stream"), V1.gap(POSITION, "stream")],
    [pongEvent(POSITION), V1.pong(POSITION)],
    [heartbeatEvent(POSITION), V1.heartbeat(POSITION)],
    [reconnectEvent(POSITION, 5), V1.reconnect(POSITION, 5)],
  ] as const;
  for (const [event, text] of pairs) assertEquals(event.text(V1), text);
});
