import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
interface EventStreamBlock {
  readonly type: string;
  readonly data?: string;
  readonly id?: string;
}

type Parser = (
  onBlock: (block: EventStreamBlock) => void,
  onRetry?: (ms: number) => void,
) => (chunk: string) => void;

// The package's types keep it to themselves.
const client: object = await import("../../webpage/keywire.js");
const { eventStreamParser } = client as { eventStreamParser: Parser };

function blocksOf(...chunks: string[]): EventStreamBlock[] {
  const blocks: EventStreamBlock[] = [];
  const push = eventStreamParser((block) => blocks.push(block));
  for (const chunk of chunks) push(chunk);
  return blocks;
}

Deno.test("eventStreamParser reads the fields as the HTML standard says", () => {
  assertEquals(blocksOf("data: a\ndata:b\ndata\ndata:  c\n\n"), [
    { type: "message", data: "a\nb\n\n c" },
  ]);
  assertEquals(blocksOf("event: gap\nid: 1\ndata: {}\n\ndata: x\n\n"), [
    { type: "gap", id: "1", data: "{}" },
    { type: "message", data: "x" },
  ]);
  assertEquals(blocksOf("event:\ndata: x\n\n"), [{ type: "message", data: "x" }]);
  assertEquals(blocksOf("id: 7\n\n"), [{ type: "message", id: "7" }]);
  assertEquals(blocksOf("id\n\n"), [{ type: "message", id: "" }]);
  assertEquals(blocksOf("id: a\0b\n\nretry: 1s\n\nretry: 12\n\n"), []);
  assertEquals(blocksOf(": a comment\n\nnonsense: x\nDATA: x\n\n\n\n"), []);
  assertEquals(blocksOf("data: not finished\n"), []);
});

Deno.test("eventStreamParser tells of a retry as soon as its line ends, though its block does not", () => {
  const heard: number[] = [];
  const push = eventStreamParser(() => {}, (ms) => heard.push(ms));
  push("retry: 1s\nretry: 12\nretry: 3");
  assertEquals(heard, [12]);
  push("4\n");
  assertEquals(heard, [12, 34]);
});

Deno.test("eventStreamParser reports a block without waiting for the line feed of a CRLF", () => {
  assertEquals(blocksOf("data: x\r\n\r"), [{ type: "message", data: "x" }]);
  assertEquals(blocksOf("data: x\r\n\r", "", "\ndata: y\r", "\r"), [
    { type: "message", data: "x" },
    { type: "message", data: "y" },
  ]);
});

Deno.test("eventStreamParser reads the same whatever the chunks and line ends", () => {
  const text = fc.string({ unit: fc.constantFrom("a", ":", " ", "é", "💡", "{"), maxLength: 6 });
  const event = fc.record({
    type: fc.constantFrom("message", "welcome", "gap"),
    data: fc.option(fc.array(text, { minLength: 1, maxLength: 3 }), { nil: undefined }),
    id: fc.option(text, { nil: undefined }),
    comment: fc.boolean(),
  });
  const lineEnds = fc.infiniteStream(fc.constantFrom("\n", "\r\n", "\r"));
  const cuts = fc.infiniteStream(fc.integer({ min: 0, max: 9 }));
  fc.assert(fc.property(fc.array(event), lineEnds, cuts, (events, lineEnds, cuts) => {
    let stream = "";
    const line = (text: string) => {
      const end = lineEnds.next().value;
      // A line feed behind a bare carriage return would join it.
      stream += stream.endsWith("\r") && text === "" && end === "\n" ? "\r" : text + end;
    };
    for (const { type, data, id, comment } of events) {
      if (comment) line(": so far, so good");
      if (type !== "message") line(`event: ${type}`);
      if (id !== undefined) line(`id: ${id}`);
      for (const part of data ?? []) line(`data: ${part}`);
      line("");
    }
    const chunks = [];
    for (let from = 0; from < stream.length;) {
      const to = from + cuts.next().value;
      chunks.push(stream.slice(from, to));
      from = to;
    }
    const expected = events
      .filter(({ data, id }) => data !== undefined || id !== undefined)
      .map(({ type, data, id }) => ({
        type,
        ...(id === undefined ? {} : { id }),
        ...(data === undefined ? {} : { data: data.join("\n") }),
      }));
    assertEquals(blocksOf(...chunks), expected);
  }));
});

Deno.test("eventStreamParser reads a line of 32 MiB that comes in 2,048 chunks without looking back", () => {
  const chunk = "x".repeat(16_384);
  const started = performance.now();
  const [block] = blocksOf("data:", ...Array<string>(2_048).fill(chunk), "\n\n");
  const ms = performance.now() - started;
  assertEquals(block?.data?.length, 2 ** 25);
  // To look through all that has come with each chunk takes more than a minute.
  assert(ms < 10_000, `it took ${Math.round(ms)} ms`);
});
