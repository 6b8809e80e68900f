import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { RecipientIndex } from "../../../src/core/history/recipient_index.ts";
import { parseMessage } from "../../../src/core/message.ts";

const MAX_BYTES = 10_000;
/** Names that JSON writes in several ways, or that look like what stands between two of them. */
const NAMES = [
  "a",
  "b",
  "ab",
  'a"',
  "a\\",
  "\\",
  ",",
  '","',
  '", "',
  " ",
  "é",
  "語",
  "\u{1f600}",
  "*",
  "\n",
];

const names = fc.array(fc.constantFrom(...NAMES), { maxLength: 6 });
/** Escapes as a printer may, or may not. */
const literal = (name: string, how: number) =>
  how === 0
    ? JSON.stringify(name)
    : `"${
      [...Array(name.length).keys()].map((i) =>
        `\\u${name.charCodeAt(i).toString(16).padStart(4, "0")}`
      ).join("")
    }"`;
const envelope = fc.record({
  recipients: fc.oneof({ weight: 9, arbitrary: names }, fc.constant("*" as const)),
  escapes: fc.array(fc.constantFrom(0, 0, 1), { minLength: 6, maxLength: 6 }),
  space: fc.constantFrom("", " ", "\n "),
  form: fc.constantFrom(
    (list: string) => `{"recipients":${list},"n":1}`,
    (list: string) => `{"recipients": ${list}}`,
    (list: string) => ` {"n":["recipients"],"recipients" : ${list} }`,
    (list: string) => `{"r\\u0065cipients":${list}}`,
    (list: string) => `{"recipients":${list},"recipients":[]}`,
    (list: string) => `{"recipients":${list}`,
    (list: string) => `{"recipients":${list.slice(0, -1)}`,
    (list: string) => `{"recipients":${list.replace("]", ",5]")}}`,
  ),
}).map(({ recipients, escapes, space, form }) =>
  form(
    recipients === "*"
      ? '"*"'
      : `[${recipients.map((name, i) => space + literal(name, escapes[i]!)).join(`${space},`)}]`,
  )
);

/** Texts numbered from 0, of which the first ones go. */
class Texts {
  readonly all: string[];
  first = 0;
  readonly maxMessageBytes = MAX_BYTES;

  constructor(all: string[]) {
    this.all = all;
  }

  get end(): number {
    return this.all.length;
  }

  textOf = (number: number) => number < this.first ? "" : this.all[number] ?? "";

  /** Those from `from` to `end` that are for any of `recipients`, by reading them. */
  numbers(recipients: readonly string[], from: number, end: number): number[] {
    return [...this.all.keys()].slice(from, end).filter((number) => {
      const message = parseMessage(this.all[number]!, MAX_BYTES);
      if (typeof message === "string") return false;
      return message.recipients === "*" || message.recipients.some((it) => recipients.includes(it));
    });
  }
}

/** What an index finds that is well-formed: a walk may find names in what turns out not to be. */
function found(texts: Texts, numbers: Iterable<number>): number[] {
  return [...numbers].filter((n) => typeof parseMessage(texts.textOf(n), MAX_BYTES) !== "string");
}

Deno.test("RecipientIndex: finds what reading everything finds, however it is asked and grows", () => {
  const steps = fc.array(
    fc.record({
      grow: fc.nat(4),
      trim: fc.nat(2),
      from: fc.nat(30),
      work: fc.constantFrom(0, 2_000, 1_000_000),
      recipients: fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }),
    }),
    { maxLength: 40, size: "max" },
  );
  let hits = 0;
  fc.assert(
    fc.property(fc.array(envelope, { minLength: 60, maxLength: 60 }), steps, (all, steps) => {
      const texts = new Texts(all.slice(0, 5));
      const index = new RecipientIndex(texts, 12_345);
      for (const { grow, trim, from, work, recipients } of steps) {
        texts.all.push(...all.slice(texts.end, texts.end + grow));
        texts.first = Math.min(texts.first + trim, texts.end);
        index.trim();
        const start = Math.min(Math.max(from, texts.first), texts.end);
        index.extend(start, work);
        const { end, numbers } = index.search(index.query(recipients), start);
        assert(end <= texts.end && (end > start || start === texts.end), `${start} to ${end}`);
        const expected = texts.numbers(recipients, start, end);
        assertEquals(found(texts, numbers), expected);
        hits += expected.length;
      }
      texts.first = texts.end;
      index.trim();
      assertEquals([index.bytes, index.postings], [0, 0]);
    }),
  );
  assert(hits > 100);
});

Deno.test("RecipientIndex: takes any text, and finds no name in one that is none", () => {
  fc.assert(fc.property(fc.array(fc.oneof(fc.string(), fc.json()), { minLength: 1 }), (all) => {
    const texts = new Texts(all);
    const index = new RecipientIndex(texts, 1);
    index.extend(0, Infinity);
    const { end, numbers } = index.search(index.query(NAMES), 0);
    assertEquals(end, all.length);
    assertEquals(found(texts, numbers), texts.numbers(NAMES, 0, end));
  }));
});

Deno.test("RecipientIndex: grows by slices, and has few segments though it grows by single envelopes", () => {
  const texts = new Texts(Array.from({ length: 3_000 }, (_, n) => `{"recipients":["r${n % 10}"]}`));
  const index = new RecipientIndex(texts, 1);
  const before = index.work;
  index.extend(1_000, 100_000);
  assert(index.work - before <= 101_000, "a slice ends when its work is done");
  // At both ends and in between, as clients come that were away for longer, and messages.
  for (let n = 0; n < 3_000; n++) index.extend(n % 2 ? (n * 7) % 3_000 : n, 0);
  for (let n = 0; n < 3_000; n++) index.extend(n, 0);
  assertEquals(index.postings, 3_000, "nothing is taken up twice");
  const query = index.query(["r3"]);
  const all: number[] = [];
  let segments = 0;
  for (let from = 0; from < 3_000; segments++) {
    assert(segments < 3_000);
    const { end, numbers } = index.search(query, from);
    all.push(...numbers);
    from = end;
  }
  assertEquals(all, [...Array(300).keys()].map((n) => n * 10 + 3));
  assert(segments <= 24, `${segments} segments`);
});

Deno.test("RecipientIndex: looks for names with equal hashes at the cost of comparing them", () => {
  const many = Array.from({ length: 50_000 }, (_, n) => `n${n}`);
  const texts = new Texts([JSON.stringify({ recipients: many })]);
  const index = new RecipientIndex({ ...texts, first: 0, end: 1, maxMessageBytes: 10_000_000 }, 3);
  index.extend(0, Infinity);
  const isFound = (name: string) => [...index.search(index.query([name]), 0).numbers].length === 1;
  assert(many.every(isFound));
  // With 24 bits some 150 of these have a hash that one of the others has.
  assert(!many.some((name) => isFound(`other-${name}`)));
});
