import { assert, assertEquals } from "@std/assert";
import { BatchNode, CHUNK_BYTES, joinTexts } from "../../../src/core/delivery/batch.ts";
import { SSE, V1 } from "../../../src/core/format.ts";
import { ControlEvent, ServerMessage } from "../../../src/core/server_event.ts";

const POSITION = { stream: "0-0", marker: "", since: 0 };
const message = (body: string) => new ServerMessage(body, POSITION);
const [a, b, c] = ['{"a":1}', '{"b":1}', '{"c":1}'].map(message) as [
  ServerMessage,
  ServerMessage,
  ServerMessage,
];

Deno.test("BatchNode: connections that are owed the same run stand at the same node", () => {
  const root = BatchNode.root();
  assert(root.next(a).next(b) === root.next(a).next(b));
  assert(root.next(a) !== BatchNode.root().next(a), "another turn has another chain");
});

Deno.test("BatchNode: runs that part keep their own events", () => {
  const root = BatchNode.root();
  const [one, other] = [root.next(a).next(b), root.next(a).next(c)];
  assertEquals([one.events, other.events], [[a, b], [a, c]]);
});

Deno.test("BatchNode: the text is that of its events in order, joined as the format wants it", () => {
  const node = BatchNode.root().next(a).next(b);
  assertEquals(node.text(V1), `${a.text(V1)}\n${b.text(V1)}`);
  assertEquals(node.text(SSE), a.text(SSE) + b.text(SSE));
});

Deno.test("BatchNode: an event that the format does not have leaves no empty line", () => {
  const silent = new ControlEvent((format) => format === V1 ? "" : "event: x\n\n");
  const node = BatchNode.root().next(a).next(silent).next(b);
  assertEquals(node.text(V1), `${a.text(V1)}\n${b.text(V1)}`);
});

Deno.test("BatchNode: a full chunk begins another, with the full one before it", () => {
  const large = message(`"${"x".repeat(CHUNK_BYTES / 3)}"`);
  let node = BatchNode.root();
  for (let n = 0; n < 7; n++) node = node.next(large);
  const chunks: BatchNode[] = [];
  for (let chunk: BatchNode | undefined = node; chunk; chunk = chunk.before) chunks.push(chunk);
  assertEquals(chunks.map((chunk) => chunk.events.length).reduce((sum, n) => sum + n), 7);
  for (const { size } of chunks) assert(size <= CHUNK_BYTES, `${size}`);
});

Deno.test("BatchNode: an event that is larger than a chunk has one of its own", () => {
  const huge = message(`"${"x".repeat(2 * CHUNK_BYTES)}"`);
  const node = BatchNode.root().next(a).next(huge).next(b);
  assertEquals([node.events, node.before?.events, node.before?.before?.events], [
    [b],
    [huge],
    [
      a,
    ],
  ]);
});

Deno.test("joinTexts: one chunk is its text", () => {
  assertEquals(joinTexts([a], V1), a.text(V1));
  assertEquals(joinTexts([BatchNode.root().next(a), b], V1), `${a.text(V1)}\n${b.text(V1)}`);
});
