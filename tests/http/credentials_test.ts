import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { offersV1, readCursor, readKey } from "../../src/http/credentials.ts";

const utf8 = new TextEncoder();

/** The key of a request with this query and these headers, as the runtime hands them over. */
function key(query: string, headers: HeadersInit = {}): string | undefined {
  return readKey({ url: `http://localhost/websocket${query}`, headers: new Headers(headers) });
}

function base64Url(text: string): string {
  return utf8.encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
}

function protocols(...entries: string[]): HeadersInit {
  return { "Sec-WebSocket-Protocol": entries.join(", ") };
}

/** A header's bytes, as the runtime hands them over. */
function bytes(text: string): string {
  return String.fromCharCode(...utf8.encode(text));
}

Deno.test("readKey() takes the raw query up to its first ampersand", () => {
  assertEquals(key("?demo"), "demo");
  assertEquals(key("?demo&_=1&after=c"), "demo");
  assertEquals(key("?a+b%20c%2B=?#/"), "a+b c+=?#/");
  assertEquals(key("?key"), "key");
  assertEquals(key("?afterwards=1"), "afterwards=1");
  assertEquals(key("?__proto__"), "__proto__");
});

Deno.test("readKey() takes key= from anywhere in the query before the raw query", () => {
  assertEquals(key("?key=a"), "a");
  assertEquals(key("?after=c&key=a+b%26=&_=1"), "a+b&=");
  assertEquals(key("?raw&key=named"), "named");
  assertEquals(key("?raw&monkey=1"), "raw");
});

Deno.test("readKey() finds no key in after=, in _= and in nothing", () => {
  for (
    const query of ["", "?", "?&", "?&demo", "?after=demo", "?_=1", "?after=c&demo", "?_=1&demo"]
  ) {
    assertEquals(key(query), undefined, query);
  }
});

Deno.test("readKey() takes a Bearer token, as UTF-8, before the query", () => {
  assertEquals(key("?key=b", { Authorization: "Bearer a" }), "a");
  assertEquals(key("", { Authorization: "bearer  a%20+b c" }), "a%20+b c");
  assertEquals(key("", { Authorization: bytes("Bearer ключ") }), "ключ");
  assertEquals(key("", { Authorization: bytes("Bearer \ufeffa") }), "\ufeffa");
  assertEquals(key("?b", { Authorization: "Basic YTpi" }), "b");
  assertEquals(key("?b", { Authorization: "Bearers a" }), "b");
});

Deno.test("readKey() takes a subprotocol entry before all others, wherever it stands", () => {
  const entry = `key.${base64Url("clé/?>")}`;
  const others = { Authorization: "Bearer b" };
  for (const offer of [["keywire.v1", entry], [entry, "keywire.v1"], [entry]]) {
    assertEquals(key("?key=c", { ...others, ...protocols(...offer) }), "clé/?>", offer.join());
  }
  assertEquals(key("", { "Sec-WebSocket-Protocol": `keywire.v1,\t${entry}` }), "clé/?>");
  assertEquals(key("?c", protocols("keywire.v1", "keys", "Key.YQ")), "c");
});

Deno.test("readKey() looks no further when the first key present is malformed", () => {
  const malformed = [
    key("?good", protocols("keywire.v1", "key.")),
    key("?good", protocols("key.YQ", "key.YQ")),
    key("?good", protocols("key.YQ==")),
    key("?good", protocols("key.Y Q")),
    key("?good", protocols("key.YR")),
    key("?good", protocols("key.Y")),
    key("?good", protocols("key.a+/b")),
    key("?good", protocols("key._w")),
    key("?good", protocols(`key.${"A".repeat(10_000_000)}`)),
    key("?good", { Authorization: "Bearer" }),
    key("?good", { Authorization: "Bearer \xe9" }),
    key("?good", { Authorization: `Bearer ${"a".repeat(10_000_000)}` }),
    key("?good&key="),
    key("?good&key=a&key=a"),
    key("?key=a&key="),
    key("?key=%zz"),
    key("?key=%ff"),
    key("?key=%ed%a0%80"),
    key("?good%"),
    key(`?key=${"a".repeat(10_000_000)}`),
    key("?" + "%61".repeat(10_000_000)),
  ];
  assertEquals(malformed, malformed.map(() => undefined));
});

Deno.test("readKey() takes no control character and no lone surrogate", () => {
  for (const code of [0x00, 0x0a, 0x1f, 0x7f, 0x80, 0x85, 0x9f]) {
    const control = `a${String.fromCharCode(code)}b`;
    assertEquals(key(`?${encodeURIComponent(control)}`), undefined, `query ${code}`);
    assertEquals(key("", protocols(`key.${base64Url(control)}`)), undefined, `entry ${code}`);
  }
  assertEquals(key("?a\ud800"), undefined);
  assertEquals(key("?%20%c2%a0"), " \u00a0");
});

Deno.test("readKey() takes 1 to 256 bytes of UTF-8 in every form", () => {
  for (const [unit, size] of [["a", 1], ["é", 2], ["日", 3], ["😀", 4]] as const) {
    const longest = unit.repeat(Math.floor(256 / size)) + "a".repeat(256 % size);
    for (const [text, expected] of [[longest, longest], [`${longest}a`, undefined]] as const) {
      assertEquals(key(`?${encodeURIComponent(text)}`), expected);
      assertEquals(key(`?key=${text}`), expected);
      assertEquals(key("", { Authorization: bytes(`Bearer ${text}`) }), expected);
      assertEquals(key("", protocols(`key.${base64Url(text)}`)), expected);
    }
  }
});

Deno.test("readKey() reads one key from each of its forms alike", () => {
  const keys = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .filter((text) => text.trim() === text && !/\p{Cc}/u.test(text));
  fc.assert(fc.property(keys, (text) => {
    assertEquals(key(`?${encodeURIComponent(text)}&_=1`), text);
    assertEquals(key(`?_=1&key=${encodeURIComponent(text)}`), text);
    assertEquals(key("", { Authorization: bytes(`Bearer ${text}`) }), text);
    assertEquals(key("", protocols("keywire.v1", `key.${base64Url(text)}`)), text);
  }));
});

Deno.test("readKey() and readCursor() throw at no query, and give no key that is none", () => {
  const part = fc.constantFrom(
    "key=",
    "after=",
    "_=",
    "&",
    "&",
    "?",
    "%",
    "%61",
    "%ff",
    "a",
    "\x00",
  );
  const query = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.array(part).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(query, (query) => {
      readCursor(new Request(`http://localhost/?${query}`));
      const found = key(`?${query}`);
      if (found === undefined) return;
      const size = utf8.encode(found).length;
      assertEquals([found.isWellFormed(), size > 0, size <= 256], [true, true, true]);
      assertEquals(/\p{Cc}/u.test(found), false);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("readCursor() reads the first after= wherever it stands", () => {
  const after = (query: string) => readCursor(new Request(`http://localhost/events${query}`));
  assertEquals(after("?demo&after=1-0~b~2"), "1-0~b~2");
  assertEquals(after("?after=1%2D0%7eb&key=a&after=x"), "1-0~b");
  assertEquals(after(""), undefined);
  assertEquals(after("?demo&hereafter=1"), undefined);
  assertEquals(after("?after"), undefined);
  assertEquals(after(`?after=${"%61".repeat(128)}`), "a".repeat(128));
});

Deno.test("readCursor() gives the empty text for what surely is no cursor", () => {
  for (const after of ["%", "%ff", "a".repeat(10_000_000)]) {
    assertEquals(readCursor(new Request(`http://localhost/events?after=${after}`)), "");
  }
});

Deno.test("offersV1() finds keywire.v1 among the subprotocols offered", () => {
  assertEquals(offersV1(new Headers(protocols("keywire.v1"))), true);
  assertEquals(offersV1(new Headers({ "Sec-WebSocket-Protocol": "key.YQ,keywire.v1" })), true);
  assertEquals(offersV1(new Headers(protocols("keywire.v10", "Keywire.v1"))), false);
  assertEquals(offersV1(new Headers()), false);
});

/** The cursor that a client brings with its key, in its query and perhaps in its header. */
function cursorOf(query: string, header?: string): string | undefined {
  return readCursor(
    new Request(`http://localhost/events?demo${query}`, {
      headers: header === undefined ? {} : { "Last-Event-ID": header },
    }),
  );
}

Deno.test("readCursor() takes what a reconnect adds before the query of the first connect", () => {
  assertEquals(cursorOf("&lastEventId=b"), "b");
  assertEquals(cursorOf("&lastEventId=b&after=a"), "b");
  assertEquals(cursorOf("&after=a&lastEventId=b"), "b");
  assertEquals(cursorOf("&after=a&lastEventId=b", "h"), "h");
  assertEquals(cursorOf("&after=a", "h"), "h");
  assertEquals(cursorOf(""), undefined);
});

Deno.test("readCursor() passes an empty one over: a client that has none yet", () => {
  assertEquals(cursorOf("&after="), undefined);
  assertEquals(cursorOf("&lastEventId=&after="), undefined);
  assertEquals(cursorOf("", ""), undefined);
  assertEquals(cursorOf("&after=a&lastEventId=", ""), "a");
});

Deno.test("readKey() never takes lastEventId= for a key", () => {
  assertEquals(readKey(new Request("http://localhost/events?lastEventId=5-1")), undefined);
});
