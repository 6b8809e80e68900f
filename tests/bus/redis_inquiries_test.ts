import { assertEquals } from "@std/assert";
import { RedisInquiries } from "../../src/bus/redis_inquiries.ts";

/** Nodes that hear each other on one channel, but for those that are cut off. */
function nodes<Name extends string>(...names: Name[]) {
  const cutOff = new Set<string>();
  const all: [Name, RedisInquiries][] = names.map((nodeId) => [
    nodeId,
    new RedisInquiries({
      nodeId,
      control: "control",
      ask: (command, channel, text) => {
        assertEquals([command, channel], ["publish", "control"]);
        if (cutOff.has(nodeId)) return Promise.reject(new Error("closed"));
        queueMicrotask(() => {
          for (const [name, node] of all) if (!cutOff.has(name)) node.hear(String(text));
        });
        return Promise.resolve(0);
      },
    }),
  ]);
  return { cutOff, ...Object.fromEntries(all) as Record<Name, RedisInquiries> };
}

Deno.test("RedisInquiries: every node answers the one that asks, and no other takes its answers", async () => {
  const { a, b, c } = nodes("a", "b", "c");
  for (const [name, node] of Object.entries({ a, b, c })) {
    node.answerWith((question) => ({ name, question }));
  }
  const enough = ({ size }: { readonly size: number }) => size === 3;
  const [first, second] = await Promise.all([
    a.ask(1, { waitMs: 60_000, enough }),
    b.ask(2, { waitMs: 60_000, enough }),
  ]);
  for (const [question, answers] of [[1, first], [2, second]] as const) {
    assertEquals(
      Object.fromEntries(answers),
      Object.fromEntries(["a", "b", "c"].map((name) => [name, { name, question }])),
    );
  }
});

Deno.test("RedisInquiries: a node that is silent delays the others no longer than waitMs, and one that is cut off answers itself", async () => {
  const { a, b, cutOff } = nodes("a", "b");
  a.answerWith(() => "a");
  b.answerWith(() => undefined); // a question of a version that it does not know
  const options = { waitMs: 20, enough: () => false };
  assertEquals([...await a.ask("?", options)], [["a", "a"]]);
  cutOff.add("a");
  assertEquals([...await a.ask("?", options)], [["a", "a"]]);
});

Deno.test("RedisInquiries: a node answers 50 questions a second at most, and what is no question is not its own", async () => {
  const { a, b } = nodes("a", "b");
  let answered = 0;
  b.answerWith(() => ++answered);
  const options = { waitMs: 20, enough: () => false };
  const start = Math.floor(performance.now() / 1_000);
  await Promise.all(Array.from({ length: 120 }, () => a.ask("?", options)));
  const seconds = Math.floor(performance.now() / 1_000) - start + 1;
  assertEquals(answered <= 50 * seconds && answered >= 50, true, `${answered} in ${seconds} s`);
  assertEquals(b.hear('{"type":"disconnect"}'), false);
  assertEquals(b.hear('{"type":"question",not JSON'), true);
});
