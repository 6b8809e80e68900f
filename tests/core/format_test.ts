import { assertEquals } from "@std/assert";
import { type Format, PLAIN, SSE, V1 } from "../../src/core/format.ts";

const POSITION = { stream: "7-0", marker: "n-1", since: 2 };
const CURSOR = "7-0~n-1~2";
const LOST = { recovery: { lost: ["channel"] as const }, retryMs: 2_500 };

Deno.test("PLAIN: writes messages and answers to ping, and nothing else", () => {
  assertEquals(PLAIN.message('{"n":1.0}', POSITION), '{"n":1.0}');
  assertEquals(PLAIN.pong(POSITION), "heartbeat message");
  const others = [
    PLAIN.welcome(POSITION, LOST),
    PLAIN.gap(POSITION, "stream"),
    PLAIN.heartbeat(POSITION),
    PLAIN.reconnect(POSITION, 1),
  ];
  assertEquals(others, ["", "", "", ""]);
});

Deno.test("V1: each event is one line of JSON with a type and the cursor", () => {
  const events = [
    V1.message('{"n":1}', POSITION),
    V1.welcome(POSITION, { retryMs: 2_500 }),
    V1.gap(POSITION, "stream"),
    V1.pong(POSITION),
    V1.reconnect(POSITION, 300),
  ];
  assertEquals(events.map((text) => JSON.parse(text)), [
    { type: "message", cursor: CURSOR, message: { n: 1 } },
    { type: "welcome", cursor: CURSOR },
    { type: "gap", cursor: CURSOR, source: "stream" },
    { type: "pong", cursor: CURSOR },
    { type: "reconnect", cursor: CURSOR, retryMs: 300 },
  ]);
  assertEquals(events.filter((text) => text.includes("\n")), []);
  assertEquals(V1.heartbeat(POSITION), "");
});

Deno.test("V1: a message keeps every byte that parsing would change", () => {
  const body = '{"a":12345678901234567890,"b":1e400,"c":1.0,"d":"\\u00e9"}';
  assertEquals(
    V1.message(body, POSITION),
    `{"type":"message","cursor":"${CURSOR}","message":${body}}`,
  );
});

Deno.test("SSE: each event is a block that brings its own end", () => {
  assertEquals(SSE.message('{"n":1}', POSITION), `id: ${CURSOR}\ndata: {"n":1}\n\n`);
  assertEquals(
    SSE.gap(POSITION, "channel"),
    `event: gap\nid: ${CURSOR}\ndata: {"source":"channel"}\n\n`,
  );
  assertEquals(SSE.heartbeat(POSITION), `event: heartbeat\nid: ${CURSOR}\ndata: {}\n\n`);
  assertEquals(SSE.pong(POSITION), "");
});

Deno.test("SSE: no block is without data or without a name, as that is an empty message", () => {
  const blocks = [
    SSE.welcome(POSITION, LOST),
    SSE.gap(POSITION, "stream"),
    SSE.heartbeat(POSITION),
  ];
  for (const block of blocks) assertEquals(/^data: .+$/m.test(block), true, block);
});

Deno.test("SSE: a reconnect is a retry and one line break, without a blank line", () => {
  assertEquals(SSE.reconnect(POSITION, 700), "retry: 700\n");
});

Deno.test("SSE: each welcome takes the retry of a drain back", () => {
  assertEquals(SSE.welcome(POSITION, { retryMs: 2_500 }).split("\n")[0], "retry: 2500");
});

Deno.test("V1, SSE: a welcome says what was lost, that nothing was, or nothing without a cursor", () => {
  const members = (format: Format, recovery?: { lost: ["channel", "stream"] | [] }) => {
    const text = format.welcome(POSITION, { recovery, retryMs: 2_500 });
    const data = format === SSE ? /data: (.*)/.exec(text)![1]! : text;
    const { recovered, lost } = JSON.parse(data);
    return [recovered, lost];
  };
  for (const format of [V1, SSE]) {
    assertEquals(members(format), [undefined, undefined]);
    assertEquals(members(format, { lost: [] }), [true, undefined]);
    assertEquals(members(format, { lost: ["channel", "stream"] }), [false, ["channel", "stream"]]);
  }
});
