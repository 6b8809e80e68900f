import { assert, assertEquals } from "@std/assert";
import { Admission, type AdmittedClient } from "../../src/gateway/admission.ts";
import { Disconnects } from "../../src/gateway/disconnects.ts";
import { Limits } from "../../src/gateway/limits.ts";
import { REFUSED } from "../../src/http/refusals.ts";
import { StoreUnavailable } from "../../src/keystores/mod.ts";

/** A node whose store knows the key `a`; `change` spoils one thing. */
function node(change: {
  readonly origins?: readonly string[];
  readonly maxConnections?: number;
  readonly perKey?: number;
  readonly perIp?: number;
  readonly lookUp?: (key: string) => Promise<readonly string[] | undefined>;
} = {}) {
  const limits = new Limits({
    maxConnections: change.maxConnections ?? 10,
    maxConnectionsPerKey: change.perKey ?? 10,
    maxConnectionsPerIp: change.perIp ?? 0,
  });
  const state = { isDraining: false, isRestarting: false, isHistoryLoaded: true };
  const asked: string[] = [];
  const disconnects = new Disconnects({ renew: () => {} });
  const admission = new Admission({
    disconnects,
    settings: { allowedOrigins: change.origins ?? "*", trustedProxies: [] },
    limits,
    node: state,
    lookUps: {
      recipients(key) {
        asked.push(key);
        return (change.lookUp ?? ((key) => Promise.resolve(key === "a" ? ["user:1"] : undefined)))(
          key,
        );
      },
    },
  });
  const admit = (path: string, headers: Record<string, string> = {}) =>
    admission.admit(new Request(`http://gateway${path}`, { headers }), "192.0.2.1");
  return { admit, disconnects, limits, state, asked };
}

Deno.test("Admission: a known key is admitted as its recipients, and holds a slot", async () => {
  const { admit, limits } = node();
  const client = await admit("/events?a&after=7-0~~0") as AdmittedClient;
  assertEquals([client.recipients, client.after, limits.inUse], [["user:1"], "7-0~~0", 1]);
  client.slot.release();
  assertEquals(limits.inUse, 0);
});

Deno.test("Admission: an unknown key is refused, and its slot given back", async () => {
  const { admit, limits } = node();
  assertEquals(await admit("/events?b"), REFUSED.unknownKey);
  assertEquals(limits.inUse, 0);
});

Deno.test("Admission: checks origin, key, draining, window and limits in this order, then asks", async () => {
  const { admit, state, asked } = node({ origins: ["https://a.example"], maxConnections: 0 });
  Object.assign(state, { isDraining: true, isHistoryLoaded: false });
  const stranger = { Origin: "https://b.example" };
  assertEquals(await admit("/events?after=x", stranger), REFUSED.origin);
  assertEquals(await admit("/events?after=x"), REFUSED.key);
  assertEquals(await admit("/events?a&after=x"), REFUSED.draining);
  state.isDraining = false;
  assertEquals(await admit("/events?a&after=x"), REFUSED.historyLoading);
  state.isHistoryLoaded = true;
  assertEquals(await admit("/events?a&after=x"), REFUSED.node);
  assertEquals(asked, []);
});

Deno.test("Admission: a client without a cursor need not wait for the window", async () => {
  const { admit, state } = node();
  state.isHistoryLoaded = false;
  assert("slot" in await admit("/events?a"));
});

Deno.test("Admission: the limits of an address and of a key refuse one more", async () => {
  const address = node({ perIp: 1 });
  assert("slot" in await address.admit("/events?a"));
  assertEquals(await address.admit("/events?a"), REFUSED.address);
  const key = node({ perKey: 1 });
  assert("slot" in await key.admit("/events?a"));
  assertEquals(await key.admit("/events?a"), REFUSED.keyLimit);
  assertEquals(key.limits.inUse, 1);
});

Deno.test("Admission: a slot is taken while the key is looked up, so that a storm cannot pass", async () => {
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const { admit, limits } = node({ maxConnections: 1, lookUp: () => promise });
  const first = admit("/events?a");
  assertEquals(await admit("/events?a"), REFUSED.node);
  resolve(["user:1"]);
  assert("slot" in await first);
  assertEquals(limits.inUse, 1);
});

Deno.test("Admission: a node that began to drain meanwhile refuses", async () => {
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const { admit, state, limits } = node({ lookUp: () => promise });
  const client = admit("/events?a");
  state.isDraining = true;
  resolve(["user:1"]);
  assertEquals(await client, REFUSED.draining);
  assertEquals(limits.inUse, 0);
});

Deno.test("Admission: a store without an answer is no leave", async () => {
  const { admit, limits } = node({ lookUp: () => Promise.reject(new StoreUnavailable("down")) });
  assertEquals(await admit("/events?a"), REFUSED.store);
  assertEquals(limits.inUse, 0);
});

Deno.test("Admission: a client that a backend disconnects during its look-up is refused", async () => {
  const { promise, resolve } = Promise.withResolvers<readonly string[]>();
  const { admit, disconnects, limits } = node({ lookUp: () => promise });
  const client = admit("/events?a");
  await disconnects.carryOut({ recipients: ["user:1"], keyHashes: [] }, new Map());
  resolve(["user:1"]);
  assertEquals(await client, REFUSED.disconnected);
  assertEquals(limits.inUse, 0);
  assert("slot" in await admit("/events?a"), "the order is for those who were there");
});
