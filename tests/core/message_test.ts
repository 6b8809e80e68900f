import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isForNoneOf, parseMessage } from "../../src/core/message.ts";
import { name, space, spelled, value } from "./json_text.ts";

const MAX = 262_144;
const UUID = "00721b2a-046c-4ecc-a5df-5f808cc6c58f";
const noOne = () => false;

/** The body of a message that must be one. */
function body(text: string): string {
  const message = parseMessage(text, MAX);
  assert(typeof message === "object", `${message}: ${text}`);
  return message.body;
}

Deno.test("parseMessage() takes the example's envelope", () => {
  assertEquals(
    parseMessage(
      `{"recipients":["${UUID}"],"data":{"entry":{"id":"123","comments":0,"tags":0}}}`,
      MAX,
    ),
    { recipients: [UUID], body: '{"data":{"entry":{"id":"123","comments":0,"tags":0}}}' },
  );
});

Deno.test("parseMessage() cuts the member wherever it stands, with its comma and the space beside it", () => {
  assertEquals(body('{"recipients":[]}'), "{}");
  assertEquals(body('{ "recipients" : [] , "a" : 1 , "b" : 2 }'), '{ "a" : 1 , "b" : 2 }');
  assertEquals(body('{ "a" : 1 , "recipients" : [] , "b" : 2 }'), '{ "a" : 1 , "b" : 2 }');
  assertEquals(body('{ "a" : 1 , "b" : 2 , "recipients" : [] }'), '{ "a" : 1 , "b" : 2 }');
  assertEquals(
    body('{"a":{"recipients":[1]},"recipients":["]"],"b":"\\"}"}'),
    '{"a":{"recipients":[1]},"b":"\\"}"}',
  );
});

Deno.test("parseMessage() delivers numbers, escapes, repeated members and lone surrogates as they were written", () => {
  const rest = '"n":[12345678901234567890,1e400,1.0,-0],"e":"\\u0041\\/é\\ud800","n":"\u2028"}';
  assertEquals(body(`{"recipients":"*",${rest}`), `{${rest}`);
});

Deno.test("parseMessage() turns each raw line break into a space", () => {
  assertEquals(body('{\n"recipients":[],\r\n"a":\r\n["\\n",\n1]}\n'), '{ "a":  ["\\n", 1]} ');
});

Deno.test("parseMessage() names the recipients as they were written, in their order", () => {
  assertEquals(parseMessage('{"recipients":["b","a","\\u0062","__proto__"]}', MAX), {
    recipients: ["b", "a", "b", "__proto__"],
    body: "{}",
  });
  assertEquals(parseMessage('{"recipients":"*"}', MAX), { recipients: "*", body: "{}" });
  assertEquals(parseMessage('{"recipients":["*"]}', MAX), { recipients: ["*"], body: "{}" });
});

Deno.test("parseMessage() says why an envelope is none", () => {
  const reasons = {
    not_json: [
      "",
      "{",
      "nope",
      '{"recipients":[]}}',
      '{"recipients":[],}',
      '{"recipients":["\n"]}',
    ],
    not_object: ["null", "1", '"recipients"', '[{"recipients":[]}]'],
    no_recipients: [
      "{}",
      '{"Recipients":[]}',
      '{"a":{"recipients":[]}}',
      '{"__proto__":{"recipients":[]}}',
    ],
    repeated_recipients: [
      '{"recipients":[],"recipients":[]}',
      '{"recipients":["a"], "b":1 , "recip\\u0069ents":["a"]}',
      '{"\\u0072ecipients":1,"recipient\\u0073":2,"recipients":3}',
    ],
    numeric_recipients: ['{"recipients":[1]}', '{"recipients":["a",null,1e400]}'],
    wrong_recipients: [
      '{"recipients":null}',
      '{"recipients":1}',
      '{"recipients":"a"}',
      '{"recipients":["a",null]}',
      '{"recipients":["a",""]}',
      '{"recipients":["\\ud800"]}',
      '{"recipients":[["a"]]}',
      '{"recipients":{"0":"a","length":1}}',
      '{"recipients":{"__proto__":["a"]}}',
    ],
  };
  for (const [reason, texts] of Object.entries(reasons)) {
    for (const text of texts) assertEquals<unknown>(parseMessage(text, MAX), reason, text);
  }
});

Deno.test("parseMessage() takes an envelope of exactly the largest size in bytes of UTF-8, and none larger", () => {
  for (
    const text of [
      '{"recipients":[]}',
      '{"recipients":[],"a":"é"}',
      '{"recipients":[],"a":"日😀"}',
      `{"recipients":[],"a":"${"日".repeat(100)}"}`,
    ]
  ) {
    const bytes = new TextEncoder().encode(text).length;
    assertEquals(typeof parseMessage(text, bytes), "object", text);
    assertEquals(parseMessage(text, bytes - 1), "too_large", text);
  }
});

Deno.test("parseMessage() finds its way out of any depth", () => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  assertEquals(body(`{"a":${deep},"recipients":[]}`), `{"a":${deep}}`);
});

/** The parts of a member other than `recipients`. */
const other = fc.tuple(
  space,
  name.filter((literal) => JSON.parse(literal) !== "recipients"),
  space,
  space,
  value,
  space,
);

function print([a, name, b, c, value, d]: string[]): string {
  return `${a}${name}${b}:${c}${value}${d}`;
}

Deno.test("parseMessage() cuts exactly one member out of any spelling of any object", () => {
  const recipients = fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 4 }), {
    maxLength: 3,
  });
  fc.assert(
    fc.property(
      fc.array(other, { maxLength: 3 }),
      fc.array(other, { maxLength: 3 }),
      fc.tuple(space, space, space, space, space, space),
      spelled("recipients"),
      recipients.chain((names) => fc.tuple(fc.constant(names), fc.tuple(...names.map(spelled)))),
      (ahead, behind, [begin, a, b, c, d, end], member, [names, literals]) => {
        const heads = ahead.map(print);
        const tails = behind.map(print);
        const own = `${a}${member}${b}:${c}[${literals.join(`${b},${c}`)}]${d}`;
        const rest = tails.length > 0
          ? [...heads, a + tails.join(",").trimStart()].join(",")
          : heads.join(",").trimEnd() + d;
        const text = `${begin}{${[...heads, own, ...tails].join(",")}}${end}`;

        const message = parseMessage(text, MAX);
        assert(typeof message === "object", `${message}`);
        assertEquals(message.recipients, names);
        const whole = JSON.parse(text);
        delete whole.recipients;
        assertEquals(JSON.stringify(JSON.parse(message.body)), JSON.stringify(whole));
        assertEquals(message.body, `${begin}{${rest}}${end}`.replace(/[\r\n]/g, " "));
      },
    ),
    { numRuns: 2000 },
  );
});

/** Texts that are nearly envelopes, and now and then are. */
const nearly = fc.array(
  fc.constantFrom(
    ...['{"recipients":[', '{"recipients": [', '"recip\\u0069ents":', '"recipients":', "{", "}"],
    ...["[", "]", ",", ", ", '"', "\\", '"a"', '"b"', '"\\u0061"', '"a\\""', '"*"', '"__proto__"'],
    ...['"data":1}', "],", "]}", "\n", ":", "1"],
  ),
  { maxLength: 12 },
).map((parts) => parts.join(""));

Deno.test("parseMessage() throws at no text, and what it takes is one object on one line", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), nearly, value), (text) => {
      const message = parseMessage(text, MAX);
      if (typeof message === "string") return;
      assertEquals(Object.hasOwn(JSON.parse(message.body), "recipients"), false);
      assert(!/[\r\n]/.test(message.body));
    }),
    { numRuns: 5000 },
  );
});

Deno.test("isForNoneOf() sees that no known recipient is named, as printers write it", () => {
  assert(isForNoneOf(`{"recipients":["${UUID}"],"data":1}`, noOne));
  assert(isForNoneOf(`{"recipients":["${UUID}","__proto__"]}`, noOne));
  assert(isForNoneOf(`{"recipients": ["${UUID}", "b"], "data": 1}`, noOne));
});

Deno.test("isForNoneOf() asks for each name, and says nothing when one is known", () => {
  const asked: string[] = [];
  const has = (recipient: string) => asked.push(recipient) === 2;
  assertEquals(isForNoneOf('{"recipients":["a","b","c"]}', has), false);
  assertEquals(asked, ["a", "b"]);
});

Deno.test("isForNoneOf() says nothing of everyone, escapes, another order or what is broken", () => {
  for (
    const text of [
      '{"recipients":"*"}',
      '{"recipients":["\\u0061"]}',
      '{"recipients":["a\\"]","b"]}',
      '{"data":1,"recipients":["a"]}',
      '{"recipientS":["a"],"recipients":"*"}',
      '{"recipients":[  "]","b"]}',
      '{"recipients":{"a","b"]}',
      ' {"recipients":["a"]}',
      '{"recipients":["a" ]}',
      '{"recipients":["a',
      '{"recipients":["a",1]}',
      '{"recipients":[',
      '{"recipients":',
      "",
    ]
  ) assertEquals(isForNoneOf(text, noOne), false, text);
});

Deno.test("isForNoneOf() never says so of a message for a known recipient", () => {
  const known = fc.subarray(["a", "b", 'a"', "*", "__proto__"]).map((names) => new Set(names));
  const list = fc.array(
    fc.constantFrom("a", "b", "c", 'a"', "\\", "*", "__proto__").chain(spelled),
  );
  const envelope = fc.tuple(fc.constantFrom("", " "), fc.constantFrom(",", ", "), list, other)
    .map(([a, comma, names, member]) =>
      `{"recipients":${a}[${names.join(comma)}],${print(member)}}`
    );
  fc.assert(
    fc.property(fc.oneof(nearly, envelope), known, (text, known) => {
      const has = (recipient: string) => known.has(recipient);
      if (!isForNoneOf(text, has)) return;
      const message = parseMessage(text, MAX);
      if (typeof message === "string") return;
      assert(message.recipients !== "*" && !message.recipients.some(has), text);
    }),
    { numRuns: 5000 },
  );
});
