import { assertEquals } from "@std/assert";
import { MemoryPresence } from "../../src/presence/mod.ts";
import { testPresence } from "../contracts/presence_contract.ts";

testPresence("MemoryPresence", ({ graceMs, connections }) => {
  const notices: string[] = [];
  const presence = new MemoryPresence({
    notify: (kind, recipient) => {
      notices.push(`${kind} ${recipient}`);
      return Promise.resolve();
    },
    graceMs,
    self: () => ({
      id: "node",
      isThis: true,
      address: "127.0.0.1:8088",
      version: "0",
      since: 0,
      connections: connections(),
    }),
  });
  return Promise.resolve({
    presence,
    notices,
    [Symbol.asyncDispose]: () => presence[Symbol.asyncDispose](),
  });
});

function presence({ failures = 0, graceMs = 0 } = {}) {
  const said: string[] = [];
  const presence = new MemoryPresence({
    notify: (kind, recipient) => {
      if (failures-- > 0) return Promise.reject(new Error("away"));
      said.push(`${kind} ${recipient}`);
      return Promise.resolve();
    },
    graceMs,
    retryMs: 1,
  });
  return { presence, said };
}

Deno.test("MemoryPresence: two connections of a recipient are announced once and withdrawn once", async () => {
  const { presence: there, said } = presence();
  there.add(["a"]);
  there.add(["a", "b"]);
  await there.settled();
  there.remove(["a"]);
  await there.settled();
  assertEquals(said, ["connected a", "connected b"]);
  there.remove(["a", "b"]);
  await there.settled();
  assertEquals(said.slice(2), ["disconnected a", "disconnected b"]);
  assertEquals((await there.lookUp(["a", "b"])).size, 0);
});

Deno.test("MemoryPresence: a notice that cannot be sent now is sent later, and only if it is still true", async () => {
  const { presence: there, said } = presence({ failures: 3 });
  there.add(["stays", "goes"]);
  await Promise.resolve();
  there.remove(["goes"]);
  await there.settled();
  assertEquals(said, ["connected stays"]);
});

Deno.test("MemoryPresence: a recipient that comes back within the grace was never away", async () => {
  const { presence: there, said } = presence({ graceMs: 60_000 });
  there.add(["a"]);
  await there.settled();
  there.remove(["a"]);
  there.add(["a"]);
  there.remove(["a"]);
  await there.settled();
  assertEquals(said, ["connected a"]);
  await there[Symbol.asyncDispose](); // cuts the grace short: nothing is owed at the end
  assertEquals(said, ["connected a", "disconnected a"]);
});

Deno.test("MemoryPresence: 10,000 recipients at once are announced in order, each once", async () => {
  const { presence: there, said } = presence();
  const names = [...Array(10_000).keys()].map(String);
  for (const name of names) there.add([name]);
  await there.settled();
  assertEquals(said, names.map((name) => `connected ${name}`));
});
