import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { interceptMessages, RespMessages } from "../../src/bus/resp_messages.ts";

const CHANNELS = ["my_channel", "{keywire}:control"];

/** What Redis sends, and what is to be heard of it. */
interface Sent {
  readonly bytes: string;
  readonly heard: readonly string[];
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}

const message = fc.tuple(
  fc.constantFrom(...CHANNELS),
  fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "\r\n", "*3\r\n$7\r\nmessage\r\n$10\r\nmy_channel\r\n$1\r\nx\r\n"),
  ),
).map(([channel, text]): Sent => ({
  bytes: `*3\r\n${bulk("message")}${bulk(channel)}${bulk(text)}`,
  heard: [`${channel} ${text}`],
}));

const reply = fc.oneof(
  fc.constantFrom(
    "+OK\r\n",
    "-ERR no\r\n",
    ":-12\r\n",
    "$-1\r\n",
    "*-1\r\n",
    "*0\r\n",
    "*2\r\n*-1\r\n:1\r\n",
    `*3\r\n${bulk("subscribe")}${bulk("my_channel")}:1\r\n`,
    `*3\r\n${bulk("message")}${bulk("my_channels")}${bulk("x")}`,
    `*2\r\n*2\r\n:1\r\n${bulk("a\r\nb")}*1\r\n$-1\r\n`,
  ),
  fc.string().map(bulk),
).map((bytes): Sent => ({ bytes, heard: [`other ${bytes}`] }));

function reader() {
  const heard: string[] = [];
  const messages = new RespMessages(CHANNELS, {
    message: (channel, text) => void heard.push(`${channel} ${text}`),
    other: (bytes) => void heard.push(`other ${bytes}`),
  });
  return { heard, messages };
}

Deno.test("RespMessages hears the same however the bytes are cut", () => {
  fc.assert(fc.property(
    fc.array(fc.oneof(message, reply), { maxLength: 8 }),
    fc.array(fc.nat(200), { maxLength: 20 }),
    (sent, cuts) => {
      const bytes = Buffer.from(sent.map((each) => each.bytes).join(""));
      const { heard, messages } = reader();
      let at = 0;
      for (const cut of [...cuts, Infinity]) {
        messages.write(bytes.subarray(at, at + cut));
        at += cut;
      }
      assertEquals(heard, sent.flatMap((each) => each.heard));
    },
  ));
});

Deno.test("RespMessages hears each message as soon as it is whole", () => {
  fc.assert(fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), (sent) => {
    const { heard, messages } = reader();
    for (const { bytes, heard: wanted } of sent) {
      const all = Buffer.from(bytes);
      messages.write(all.subarray(0, -1));
      assertEquals(heard.splice(0), []);
      messages.write(all.subarray(-1));
      assertEquals(heard.splice(0), wanted);
    }
  }));
});

Deno.test("RespMessages.write: a message whose bytes are not UTF-8 is heard as such, between the others", () => {
  const heard: unknown[] = [];
  const messages = new RespMessages(CHANNELS, {
    message: (...message) => void heard.push(message),
    other: (bytes) => void heard.push(`other ${bytes}`),
  });
  const head = `*3\r\n${bulk("message")}${bulk("my_channel")}`;
  messages.write(
    Buffer.from(`${head}${bulk("a")}${head}$2\r\na\xff\r\n${head}${bulk("b")}`, "latin1"),
  );
  assertEquals(heard, [
    ["my_channel", "a", undefined],
    ["my_channel", "", "not_utf8"],
    ["my_channel", "b", undefined],
  ]);
});

Deno.test("RespMessages hands on what it cannot read, which ends the connection there", () => {
  const { heard, messages } = reader();
  messages.write(Buffer.from("+OK\r\nHTTP/1.1 400 Bad Request\r\n\r\n"));
  assertEquals(heard, ["other +OK\r\n", "other HTTP/1.1 400 Bad Request\r\n\r\n"]);
});

Deno.test("RespMessages does not gather a line without an end", () => {
  let handedOn = 0;
  const messages = new RespMessages(CHANNELS, {
    message() {},
    other: (bytes) => handedOn += bytes.length,
  });
  for (let count = 0; count < 10; count++) messages.write(Buffer.from("+".repeat(65_536)));
  assert(handedOn >= 500_000, `${handedOn} bytes handed on`);
});

Deno.test("RespMessages copies a message that comes in a thousand pieces once, and nothing else", () => {
  const { heard, messages } = reader();
  const text = "x".repeat(64 * 1024 * 1024);
  const message = `*3\r\n${bulk("message")}${bulk("my_channel")}${bulk(text)}`;
  const bytes = Buffer.from(`${message}*3\r\n${bulk("message")}${bulk("my_channel")}${bulk("y")}`);
  const copied: number[] = [];
  const { concat } = Buffer;
  Buffer.concat = (list, size) => {
    copied.push(size ?? 0);
    return concat(list, size);
  };
  try {
    for (let at = 0; at < bytes.length; at += 65_536) {
      messages.write(bytes.subarray(at, at + 65_536));
    }
  } finally {
    Buffer.concat = concat;
  }
  assertEquals(heard.map((each) => each.length - "my_channel ".length), [text.length, 1]);
  assertEquals(copied, [message.length]);
});

Deno.test("interceptMessages() leaves all but the messages to those who listened before", async () => {
  const stream = new Readable({ read() {} });
  const heard: string[] = [];
  stream.on("data", (bytes: Buffer) => heard.push(`other ${bytes}`));
  interceptMessages(stream, CHANNELS, {
    message: (channel, text) => heard.push(`${channel} ${text}`),
  });
  stream.push(`:1\r\n*3\r\n${bulk("message")}${bulk("my_channel")}${bulk("hello")}+PONG\r\n`);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(heard, ["other :1\r\n", "my_channel hello", "other +PONG\r\n"]);
});
