import { assertEquals } from "@std/assert";
import { type Account, emptyAccount, type Heard, settle } from "./account.ts";

/** Five messages in one phase, of which Redis did not confirm the third. */
function found(...heard: Heard[]): Partial<Account> {
  const published = [0, 1, 2, 3, 4].map((n) => ({ phase: 0, confirmed: n !== 2 }));
  const account = emptyAccount();
  settle(published, heard, [account]);
  return Object.fromEntries(Object.entries(account).filter(([, count]) => count > 0));
}

Deno.test("settle finds nothing wrong where each confirmed message came once", () => {
  assertEquals(found(0, 1, 3, 4), { deliveries: 4 });
  assertEquals(found(0, 1, 2, 3, 4), { deliveries: 5 });
});

Deno.test("settle: finds a loss that no client was told of, wherever it is", () => {
  assertEquals(found(1, 2, 3, 4), { deliveries: 4, silentLosses: 1 });
  assertEquals(found(0, 1, 4), { deliveries: 3, silentLosses: 1 });
  assertEquals(found(0, 1, 2, 3), { deliveries: 4, silentLosses: 1 });
  assertEquals(found(), { silentLosses: 4 });
});

Deno.test("settle believes what was told at the very place of the loss only", () => {
  assertEquals(found(0, "told", 3, 4), { deliveries: 3, lossesTold: 1 });
  assertEquals(found(0, 1, 2, "told"), { deliveries: 3, lossesTold: 2 });
  assertEquals(found(0, 3, "told", 4), { deliveries: 3, silentLosses: 1 });
  assertEquals(found("told", 0, 3, 4), { deliveries: 3, silentLosses: 1 });
});

Deno.test("settle finds doubles, of what Redis did not confirm too, and disorder", () => {
  assertEquals(found(0, 1, 1, 2, 2, 3, 4), { deliveries: 5, doubles: 2 });
  assertEquals(found(0, 3, 1, 4), { deliveries: 4, disorders: 1 });
  assertEquals(found(0, "told", 3, 1, 4), { deliveries: 4, disorders: 1 });
});

Deno.test("settle keeps the phases apart", () => {
  const accounts = [emptyAccount(), emptyAccount()];
  const published = [0, 0, 1, 1].map((phase) => ({ phase, confirmed: true }));
  settle(published, [0, 2, 2, 3], accounts);
  assertEquals(accounts, [
    { ...emptyAccount(), deliveries: 1, silentLosses: 1 },
    { ...emptyAccount(), deliveries: 2, doubles: 1 },
  ]);
});
