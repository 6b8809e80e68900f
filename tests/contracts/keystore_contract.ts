import { assert, assertEquals, assertRejects } from "@std/assert";
import { type KeyStore, StoreUnavailable } from "../../src/keystores/mod.ts";

/** A key and the recipients that it hears for. */
export type Entry = readonly [key: string, recipients: readonly string[]];

/** A store under test, with the means to withdraw a key from it. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: KeyStore;
  remove(key: string): Promise<void>;
}

/** What an attacker might send to be more than an unknown key. */
export const INJECTIONS = [
  '{"$ne":null}',
  "$where",
  "$ne",
  "[$ne]=",
  '{"$regex":".*"}',
  "_id",
  "__proto__",
  "constructor",
  "*",
  ".",
  "",
];

/**
 * What every key store promises.
 * @param create makes a store that knows the given keys
 */
export function testKeyStore(
  name: string,
  create: (entries: readonly Entry[]) => Promise<StoreUnderTest>,
): void {
  const ask = (store: KeyStore, ...keys: string[]) => store.find(keys, AbortSignal.timeout(10_000));

  Deno.test(`${name} finds the recipients of each key that may connect`, async () => {
    await using tested = await create([["a", ["user:1"]], ["b", ["user:2", "team:7"]]]);
    assertEquals(
      await ask(tested.store, "b", "nobody", "a"),
      new Map([["a", ["user:1"]], ["b", ["user:2", "team:7"]]]),
    );
  });

  Deno.test(`${name} gives each recipient once, in the order of the store`, async () => {
    await using tested = await create([["a", ["z", "y", "z", "x", "y"]]]);
    assertEquals((await ask(tested.store, "a")).get("a"), ["z", "y", "x"]);
  });

  Deno.test(`${name} answers a key that is asked for twice`, async () => {
    await using tested = await create([["a", ["user:1"]]]);
    assertEquals(await ask(tested.store, "a", "a"), new Map([["a", ["user:1"]]]));
  });

  Deno.test(`${name} finds nothing where nothing is asked for`, async () => {
    await using tested = await create([["a", ["user:1"]]]);
    assertEquals(await ask(tested.store), new Map());
  });

  Deno.test(`${name} finds every one of 1,200 keys`, async () => {
    const entries = Array.from({ length: 1200 }, (_, i): Entry => [`key ${i}`, [`user:${i}`]]);
    await using tested = await create(entries);
    assertEquals((await ask(tested.store, ...entries.map(([key]) => key))).size, 1200);
  });

  Deno.test(`${name} takes keys as they are: case, spaces and other scripts count`, async () => {
    await using tested = await create([["Ключ é", ["user:1"]]]);
    assertEquals(
      [...await ask(tested.store, "Ключ é", "ключ é", "Ключ e\u0301", " Ключ é")],
      [["Ключ é", ["user:1"]]],
    );
  });

  Deno.test(`${name} knows no key that looks like an operator or a property`, async () => {
    await using tested = await create([["a", ["user:1"]]]);
    assertEquals(await ask(tested.store, ...INJECTIONS), new Map());
  });

  Deno.test(`${name} keeps no answer: a key that was removed is unknown at once`, async () => {
    await using tested = await create([["a", ["user:1"]], ["b", ["user:2"]]]);
    assertEquals((await ask(tested.store, "a", "b")).size, 2);
    await tested.remove("a");
    assertEquals([...(await ask(tested.store, "a", "b")).keys()], ["b"]);
  });

  Deno.test(`${name} is up once it has answered`, async () => {
    await using tested = await create([["a", ["user:1"]]]);
    await ask(tested.store, "a");
    assertEquals(tested.store.status, "up");
  });

  Deno.test(`${name} refuses a question whose time is over`, async () => {
    await using tested = await create([["a", ["user:1"]]]);
    await assertRejects(() => tested.store.find(["a"], AbortSignal.abort()), StoreUnavailable);
    assert((await ask(tested.store, "a")).has("a"));
  });
}
