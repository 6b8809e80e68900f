import { assertEquals } from "@std/assert";
import { MemoryKeyStore } from "../../src/keystores/mod.ts";
import { testKeyStore } from "../contracts/keystore_contract.ts";

// deno-lint-ignore require-await -- other stores need time for it
testKeyStore("MemoryKeyStore", async (entries) => {
  const store = new MemoryKeyStore();
  for (const [key, recipients] of entries) store.set(key, recipients);
  return {
    store,
    // deno-lint-ignore require-await -- other stores need time for it
    remove: async (key) => store.remove(key),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
});

Deno.test("MemoryKeyStore makes each of its first keys its own recipient", async () => {
  await using store = new MemoryKeyStore(["a", "demo"]);
  assertEquals(
    await store.find(["a", "demo"], AbortSignal.timeout(1000)),
    new Map([["a", ["a"]], ["demo", ["demo"]]]),
  );
});
