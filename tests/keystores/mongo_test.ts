import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Binary, Double, Int32, Long, ObjectId, UUID } from "mongodb";
import { addKey, MongoKeyStore } from "../../src/keystores/mod.ts";
import { INJECTIONS, testKeyStore } from "../contracts/keystore_contract.ts";
import { startMongodb } from "../support/mongodb.ts";
import { waitFor } from "../support/wait.ts";
import { TestCollection } from "./collection.ts";
import { Logged } from "../support/logged.ts";

const server = await startMongodb();
Deno.test.afterAll(async () => await server[Symbol.asyncDispose]());

const HEX = "65f0c0ffee0123456789abcd";
const UUID_TEXT = "00721b2a-046c-4ecc-a5df-5f808cc6c58f";
const HOUR = 3_600_000;

async function ask(store: MongoKeyStore, ...keys: string[]): Promise<[string, unknown][]> {
  return [...await store.find(keys, AbortSignal.timeout(10_000))];
}

testKeyStore("MongoKeyStore", async (entries) => {
  const keys = new TestCollection(server.url);
  await keys.insert(...entries.map(([key, recipients]) => ({ key, for: recipients })));
  const store = keys.store({ keyField: "key", recipientField: "for" });
  return {
    store,
    remove: (key) => keys.remove({ key: { $eq: key } }),
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await keys[Symbol.asyncDispose]();
    },
  };
});

Deno.test("MongoKeyStore knows a key as a string, an ObjectId or a UUID in _id", async () => {
  await using keys = new TestCollection(server.url);
  await keys.insert({ _id: "demo" }, { _id: new ObjectId(HEX) }, { _id: new UUID(UUID_TEXT) });
  await using store = keys.store();
  assertEquals(await ask(store, "demo", HEX, UUID_TEXT), [
    ["demo", ["demo"]],
    [HEX, [HEX]],
    [UUID_TEXT, [UUID_TEXT]],
  ]);
});

Deno.test("MongoKeyStore names upper-case hex by the canonical text", async () => {
  await using keys = new TestCollection(server.url);
  await keys.insert({ _id: new ObjectId(HEX) }, { _id: new UUID(UUID_TEXT) });
  await using store = keys.store();
  const asked = [HEX.toUpperCase(), HEX, UUID_TEXT.toUpperCase()] as const;
  assertEquals(await ask(store, ...asked), [
    [asked[0], [HEX]],
    [asked[1], [HEX]],
    [asked[2], [UUID_TEXT]],
  ]);
});

Deno.test("MongoKeyStore: several documents with one key give the union, and a warning", async () => {
  await using logged = await Logged.start("keystores");
  await using keys = new TestCollection(server.url);
  await keys.insert(
    { key: new ObjectId(HEX), for: "the ObjectId's" },
    { key: HEX, for: ["the string's", "both"] },
    { key: "text", for: ["one", "both"] },
    { key: "text", for: ["both", "other"] },
    { key: "text", for: 1.5 },
  );
  await using store = keys.store({ keyField: "key", recipientField: "for" });
  const found = new Map(await ask(store, HEX, "text"));
  assertEquals((found.get(HEX) as string[]).toSorted(), ["both", "the ObjectId's", "the string's"]);
  assertEquals((found.get("text") as string[]).toSorted(), ["both", "one", "other"]);
  assert(logged.lines("warning").some((line) => line.includes("Several documents have one")));
});

const MISTYPED: [string, string, Record<string, unknown>, string[]][] = [
  ["a number", "42", { key: 42 }, ["key", "a number"]],
  ["an old UUID", UUID_TEXT, {
    key: new Binary(Uint8Array.fromHex(UUID_TEXT.replaceAll("-", "")), 3),
  }, ["key", "old binary subtype 3"]],
  ["an expiry in text", "session", { key: "session", until: "2999-01-01" }, ["until", "a string"]],
  ["no expiry", "session", { key: "session" }, ["until", "nothing"]],
];

for (const [what, key, document, words] of MISTYPED) {
  Deno.test(`MongoKeyStore: warns of a key that is refused for ${what}, and shows no key`, async () => {
    await using logged = await Logged.start("keystores");
    await using keys = new TestCollection(server.url);
    await keys.insert({
      ...words[0] === "until" ? {} : { until: new Date("2999-01-01") },
      ...document,
    });
    await using store = keys.store({ keyField: "key", expiresField: "until" });
    assertEquals(await ask(store, key), []);
    const isTold = () =>
      logged.lines("warning").find((line) => words.every((word) => line.includes(word)));
    const line = await waitFor("the warning", isTold);
    assert(key === "42" || !line.includes(key), line);
  });
}

const RECIPIENTS: [unknown, string[]][] = [
  ["user:1", ["user:1"]],
  [new ObjectId(HEX), [HEX]],
  [new UUID(UUID_TEXT), [UUID_TEXT]],
  [new Int32(-42), ["-42"]],
  [new Double(7), ["7"]],
  [Long.fromString("9007199254740993"), ["9007199254740993"]],
  [Long.fromString("9223372036854775807"), ["9223372036854775807"]],
  [[new Int32(1), "team:7", new Int32(1)], ["1", "team:7"]],
];

Deno.test("MongoKeyStore writes recipients in canonical text", async () => {
  await using keys = new TestCollection(server.url);
  await keys.insert(...RECIPIENTS.map(([value], i) => ({ _id: `key ${i}`, user: { id: value } })));
  await using store = keys.store({ recipientField: "user.id" });
  const found = new Map(await ask(store, ...RECIPIENTS.map((_, i) => `key ${i}`)));
  for (const [i, [, texts]] of RECIPIENTS.entries()) assertEquals(found.get(`key ${i}`), texts);
});

Deno.test("MongoKeyStore does not know a key whose recipients cannot be names", async () => {
  await using logged = await Logged.start("keystores");
  await using keys = new TestCollection(server.url);
  const values = [
    ...[null, true, 1.5, 1e300, new Date(), {}, { a: "b" }, [], ["a", null]],
    ...[new Binary(new Uint8Array(16), 0), /a/],
  ];
  await keys.insert({ _id: "absent" }, ...values.map((user, i) => ({ _id: `key ${i}`, user })));
  await using store = keys.store({ recipientField: "user" });
  assertEquals(await ask(store, "absent", ...values.map((_, i) => `key ${i}`)), []);
  const warnings = logged.lines("warning");
  assertEquals(warnings.length, 1);
  assert(!warnings[0]?.includes("key 1"), warnings[0]);
});

Deno.test("MongoKeyStore does not know a key that is one of several in its field", async () => {
  await using keys = new TestCollection(server.url);
  await keys.insert({ key: ["a", "b"] });
  await using store = keys.store({ keyField: "key" });
  assertEquals(await ask(store, "a", "b"), []);
});

Deno.test("MongoKeyStore follows dots into embedded documents", async () => {
  await using keys = new TestCollection(server.url);
  await keys.insert({ session: { secret: "a" }, user: { id: "user:1" } }, { "session": "a" });
  await using store = keys.store({ keyField: "session.secret", recipientField: "user.id" });
  assertEquals(await ask(store, "a"), [["a", ["user:1"]]]);
});

Deno.test("MongoKeyStore holds documents to the filter, in Extended JSON", async () => {
  await using keys = new TestCollection(server.url);
  await keys.insert(
    { _id: "in", active: true, tenant: new ObjectId(HEX), level: 3 },
    { _id: "other tenant", active: true, tenant: new ObjectId(), level: 3 },
    { _id: "low", active: true, tenant: new ObjectId(HEX), level: 1 },
    { _id: "off", active: false, tenant: new ObjectId(HEX), level: 3 },
  );
  const filter = `{"active":true,"tenant":{"$oid":"${HEX}"},"level":{"$gte":2}}`;
  await using store = keys.store({ filter });
  assertEquals(await ask(store, "in", "other tenant", "low", "off"), [["in", ["in"]]]);
});

Deno.test("MongoKeyStore's filter cannot widen what the key narrows", async () => {
  await using keys = new TestCollection(server.url);
  await keys.insert({ _id: "a", active: true }, { _id: "b", active: true });
  await using store = keys.store({ filter: `{"_id":{"$ne":"c"},"$or":[{"active":true}]}` });
  assertEquals(await ask(store, "a", "c"), [["a", ["a"]]]);
});

Deno.test("MongoKeyStore knows no key that looks like an operator, in any field", async () => {
  await using keys = new TestCollection(server.url);
  await keys.insert({ _id: "a", key: "a" }, { _id: "b", key: null });
  await using byId = keys.store();
  await using byKey = keys.store({ keyField: "key", filter: `{}` });
  assertEquals(await ask(byId, ...INJECTIONS), []);
  assertEquals(await ask(byKey, ...INJECTIONS), []);
});

Deno.test("MongoKeyStore knows a key only while its date lies ahead", async () => {
  await using keys = new TestCollection(server.url);
  const now = Date.now();
  await keys.insert(
    { _id: "ahead", until: new Date(now + HOUR) },
    { _id: "past", until: new Date(now - 1) },
    { _id: "no date" },
    { _id: "null", until: null },
    { _id: "text", until: "2999-01-01" },
    { _id: "number", until: now + HOUR },
  );
  await using store = keys.store({ expiresField: "until" });
  assertEquals(await ask(store, "ahead", "past", "no date", "null", "text", "number"), [
    ["ahead", ["ahead"]],
  ]);
});

Deno.test("MongoKeyStore knows a key no longer once it has expired", async () => {
  await using keys = new TestCollection(server.url);
  await using store = keys.store({ expiresField: "until" });
  await ask(store, "a"); // It is connected, which may take a while.
  await keys.insert({ _id: "a", until: new Date(Date.now() + 2_000) });
  assertEquals((await ask(store, "a")).length, 1);
  await waitFor("the key to expire", async () => (await ask(store, "a")).length === 0);
});

Deno.test("MongoKeyStore warns of a key field without an index, and only then", async () => {
  for (const indexed of [false, true]) {
    await using logged = await Logged.start("keystores");
    await using keys = new TestCollection(server.url);
    await keys.insert({ key: "a" });
    if (indexed) await keys.createIndex("key");
    const store = keys.store({ keyField: "key" });
    await ask(store, "a");
    await store[Symbol.asyncDispose]();
    assertEquals(
      logged.lines("warning"),
      indexed ? [] : [
        "No index begins with key: every look-up reads the whole collection",
      ],
    );
  }
});

Deno.test("MongoKeyStore does not show a connection string that it cannot read", () => {
  const options = { database: "d", collection: "c" };
  for (const url of ["mongodb://u:hush@h:x/", "mongodb://u:hu/sh@h/", "hush", "http://u:hush@h"]) {
    const error = assertThrows(() => new MongoKeyStore({ ...options, url }), TypeError);
    assert(!Deno.inspect(error).includes("hush"), error.message);
  }
});

Deno.test("MongoKeyStore refuses a filter that is no Extended JSON", () => {
  const options = { url: server.url, database: "d", collection: "c" };
  const filter = `{"a":{"$oid":"too short"}}`;
  assertThrows(() => new MongoKeyStore({ ...options, filter }), TypeError, "filter");
});

Deno.test("addKey adds a random key that may connect until it expires", async () => {
  await using keys = new TestCollection(server.url);
  const fields = { keyField: "session.key", recipientField: "user", expiresField: "until" };
  const options = keys.options(fields);
  const [first, second] = [
    await addKey(options, { recipient: "user:1", expires: new Date(Date.now() + HOUR) }),
    await addKey(options, { recipient: "user:1", expires: new Date(Date.now() - HOUR) }),
  ];
  assert(/^[A-Za-z0-9_-]{32}$/.test(first) && first !== second, first);
  await using store = keys.store(fields);
  assertEquals(await ask(store, first, second), [[first, ["user:1"]]]);
});

Deno.test("addKey makes an index on the key's field", async () => {
  await using keys = new TestCollection(server.url);
  await addKey(keys.options({ keyField: "key" }), { key: "a" });
  assertEquals(await keys.indexed(), ["_id", "key"]);
});

Deno.test("addKey leaves a key that is there as it is", async () => {
  await using keys = new TestCollection(server.url);
  const options = keys.options({ recipientField: "user" });
  await addKey(options, { key: "a", recipient: "user:1" });
  await assertRejects(
    () => addKey(options, { key: "a", recipient: "user:2" }),
    TypeError,
    "already",
  );
  assertEquals(await keys.documents(), [{ _id: "a", user: "user:1" }]);
});

Deno.test("addKey refuses what has no field to stand in", async () => {
  await using keys = new TestCollection(server.url);
  const cases = [
    [{}, { recipient: "user:1" }],
    [{}, { expires: new Date() }],
    [{ recipientField: "user" }, {}],
  ] as const;
  for (const [fields, key] of cases) {
    await assertRejects(() => addKey(keys.options(fields), key), TypeError);
  }
  assertEquals(await keys.documents(), []);
});
