import { assert, assertEquals } from "@std/assert";
import type { CloseReason } from "../../src/core/close_codes.ts";
import type { Connection } from "../../src/core/delivery/connection.ts";
import { Revalidation } from "../../src/gateway/revalidation.ts";
import { MemoryKeyStore, StoreUnavailable } from "../../src/keystores/mod.ts";

/** Revalidates connections once that hear for `recipients`, each of which the store knows as `now`. */
async function revalidate(
  cases: readonly (readonly [recipients: readonly string[], now: readonly string[] | undefined])[],
): Promise<(number | undefined)[]> {
  const codes: (number | undefined)[] = cases.map(() => undefined);
  const store = new MemoryKeyStore();
  const connections = new Map(cases.map(([recipients, now], at) => {
    if (now !== undefined) store.set(`key ${at}`, now);
    const close = ({ code }: CloseReason) => codes[at] = code;
    return [{ recipients, close } as unknown as Connection, { key: `key ${at}` }];
  }));
  using revalidation = new Revalidation({ connections, store, everyMs: 1e9, timeoutMs: 1_000 });
  await revalidation.check();
  return codes;
}

Deno.test("Revalidation: closes whose key is gone or whose recipients changed, in whatever order they stand", async () => {
  const codes = await revalidate([
    [["a"], ["a"]],
    [["a", "b", "c"], ["c", "a", "b"]],
    [["a", "b"], ["a", "c"]],
    [["a", "b"], ["a"]],
    [["a"], ["a", "b"]],
    [["a"], undefined],
  ]);
  assertEquals(codes, [undefined, undefined, 1012, 1012, 1012, 4403]);
});

Deno.test("Revalidation: a client with 100,000 recipients holds nothing up", async () => {
  const recipients = Array.from({ length: 100_000 }, (_, at) => `user:${at}`);
  const started = performance.now();
  // Their comparison with each other would take some 20 s.
  const codes = await revalidate([
    [recipients, [...recipients]],
    [recipients, recipients.toReversed()],
  ]);
  const ms = performance.now() - started;
  assertEquals(codes, [undefined, undefined]);
  assert(ms < 3_000, `it took ${Math.round(ms)} ms`);
});

Deno.test("Revalidation: batches that never get an answer keep the keys of others waiting for one round", async () => {
  const poisoned = ["key 0", "key 700"];
  const codes = new Map<string, number>();
  const connections = new Map(Array.from({ length: 2_500 }, (_, at) => {
    const close = ({ code }: CloseReason) => codes.set(`key ${at}`, code);
    return [{ recipients: ["a"], close } as unknown as Connection, { key: `key ${at}` }];
  }));
  const store = {
    find(keys: readonly string[]) {
      if (keys.some((key) => poisoned.includes(key))) return Promise.reject(new StoreUnavailable());
      return Promise.resolve(
        new Map(keys.filter((key) => key !== "key 2499").map((key) => [key, ["a"]])),
      );
    },
  };
  using revalidation = new Revalidation({ connections, store, everyMs: 1e9, timeoutMs: 1_000 });
  for (let round = 0; round < 3; round++) await revalidation.check();
  assertEquals([...codes], [["key 2499", 4403]]);
  assertEquals(revalidation.counts.failed, 3);
});
