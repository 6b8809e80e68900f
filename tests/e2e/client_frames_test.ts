/** What known clients send that no client has to: floods, and frames that are none. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { becomes } from "../support/becomes.ts";
import { items, openSocket, publish } from "../support/clients.ts";
import { type KeywireProcess, startKeywire } from "../support/gateway.ts";
import { clientFrame, StalledClient } from "../support/stalled_client.ts";
import { waitFor } from "../support/wait.ts";

const FLOODERS = 4;
/** How long one floods, where nothing ends it before, in milliseconds. */
const FLOOD_MS = 3_000;
/** Six seconds and more were measured where floods were not ended. */
const ANSWER_MS = 3_000;

Deno.test("WebSocketTransport: clients that flood with tiny frames are ended, and hold nothing else up", async () => {
  await using gateway = await startKeywire({ EMBEDDED_KEYS: "demo,flood" });
  using other = await openSocket(gateway.url, "demo");
  const frame = clientFrame(1, "x");
  const many = new Uint8Array(frame.length * 10_000).map((_, at) => frame[at % frame.length]!);
  using stack = new DisposableStack();
  const floods: Promise<number | undefined>[] = [];
  const until = performance.now() + FLOOD_MS;
  for (let n = 0; n < FLOODERS; n++) {
    const client = stack.use(await StalledClient.open(gateway.port, "flood"));
    floods.push(client.readOn().then(({ code }) => code));
    (async () => {
      while (performance.now() < until) await client.write(many);
    })().catch(() => {}); // It was ended.
  }
  let ended = false;
  const codes = Promise.all(floods).finally(() => ended = true);
  const times: number[] = [];
  for (let n = 0; n < 3 || (!ended && performance.now() < 2 * FLOOD_MS + until); n++) {
    const start = performance.now();
    await (await publish(gateway.url, { recipients: ["demo"], n })).body?.cancel();
    await waitFor("the message", () => other.frames.length > n, 30_000);
    times.push(performance.now() - start);
  }
  // A machine that is busy may hold one of them up.
  const median = times.toSorted((a, b) => a - b)[times.length >> 1]!;
  assert(median < ANSWER_MS, `messages took ${times.map(Math.round)} ms`);
  assert(ended, "a flood was not ended");
  // Its close frame is lost where the system discards it for what was sent and not read.
  for (const code of await codes) assert(code === 4429 || code === undefined, `${code}`);
  await hasSlots(gateway, 1);
  const closed = 'keywire_connections_closed_total{code="4429"}';
  await becomes(async () => (await gateway.metrics()).get(closed), FLOODERS);
});

const bytes = (...values: number[]) => new Uint8Array(values);

/** Frames that RFC 6455 forbids. (One without a mask is another, which the runtime takes as a text.) */
const FORBIDDEN: Record<string, Uint8Array> = {
  "a reserved bit": bytes(0xc1, 0x80, 0, 0, 0, 0),
  "a reserved opcode": clientFrame(3, "x"),
  "a reserved control opcode": clientFrame(11, "x"),
  "a control frame in parts": bytes(0x09, 0x80, 0, 0, 0, 0),
  "a control frame over 125 bytes": bytes(0x89, 0xfe, 0, 126, 0, 0, 0, 0, ...Array(126).fill(0)),
  "a continuation of nothing": clientFrame(0, "x"),
  "a text within another": bytes(0x01, 0x80, 0, 0, 0, 0, ...clientFrame(1, "x")),
  "a text that is not UTF-8": clientFrame(1, bytes(0xff, 0xfe)),
  "a close frame with half a code": clientFrame(8, bytes(3)),
  "a close frame with a code that is none": clientFrame(8, bytes(0, 1)),
  "a length of 2^63": bytes(0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
};
const RANDOM = 200;

Deno.test("WebSocketTransport: frames that are forbidden end their own connection, and nothing else", async () => {
  await using gateway = await startKeywire({
    EMBEDDED_KEYS: "demo,fuzz",
    MAX_CONNECTIONS_PER_KEY: "1000",
  });
  using other = await openSocket(gateway.url, "demo");
  await Promise.all(
    Object.entries(FORBIDDEN).map(async ([name, frame]) => {
      using client = await StalledClient.open(gateway.port, "fuzz");
      await client.write(frame);
      let over = false;
      client.readOn().finally(() => over = true);
      await waitFor(`the end after ${name}`, () => over);
    }),
  );

  const anything = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    fc.tuple(fc.nat(15), fc.uint8Array({ maxLength: 125 })).map(([opcode, payload]) =>
      clientFrame(opcode, payload)
    ),
    fc.constantFrom(...Object.values(FORBIDDEN)),
  );
  const cases = fc.sample(fc.array(anything, { minLength: 1, maxLength: 5 }), RANDOM).values();
  await Promise.all(Array.from({ length: 20 }, async () => {
    for (const frames of cases) {
      using client = await StalledClient.open(gateway.port, "fuzz");
      for (const frame of frames) await client.write(frame).catch(() => {}); // It was ended.
    }
  }));

  // A text in two parts is one.
  using parts = await StalledClient.open(gateway.port, "fuzz");
  await parts.write(bytes(0x01, 0x82, 0, 0, 0, 0, 0x70, 0x69, ...clientFrame(0, "ng")));
  await parts.write(clientFrame(8, bytes(3, 232)));
  const { bytes: heard, code } = await parts.readOn();
  assertEquals([heard, code], [2 + "heartbeat message".length + 4, 1_000]);
  await hasSlots(gateway, 1);
  await (await publish(gateway.url, { recipients: ["demo"], n: 1 })).body?.cancel();
  assertEquals(await items(other.frames, 1), ['{"n":1}']);
  assert(!/error|fatal/i.test(gateway.log), gateway.log);
});

async function hasSlots(gateway: KeywireProcess, count: number): Promise<void> {
  await waitFor(`${count} slots`, async () => {
    return (await gateway.metrics()).get("keywire_connection_slots_used") === count;
  }, 20_000);
}
