import { assertEquals } from "@std/assert";
import { Hub, type Subscriber } from "../../../src/core/delivery/hub.ts";
import { gapEvent, type ServerEvent } from "../../../src/core/server_event.ts";

const event = gapEvent({ stream: "0-0", marker: "", since: 0 }, "stream");

/** A subscriber that keeps what it is owed. */
function subscriber(...recipients: string[]): Subscriber & { readonly got: ServerEvent[] } {
  const got: ServerEvent[] = [];
  return { recipients, lastDelivery: 0, got, push: (event) => got.push(event) };
}

Deno.test("Hub: a message that names a recipient twice is delivered to each subscriber once", () => {
  const hub = new Hub();
  const all = [subscriber("ann"), subscriber("bob"), subscriber("bob", "ann")];
  for (const one of all) hub.join(one);
  assertEquals(hub.deliver(["ann", "ann"], event), 2);
  assertEquals(all.map(({ got }) => got.length), [1, 0, 1]);
  assertEquals(hub.deliver(["bob", "ann", "bob"], event), 3);
  assertEquals(all.map(({ got }) => got.length), [2, 1, 2]);
});

Deno.test("Hub: everyone is every subscriber, once, whatever they hear for", () => {
  const hub = new Hub();
  const all = [subscriber("ann", "bob"), subscriber("bob"), subscriber()];
  for (const one of all) hub.join(one);
  assertEquals(hub.deliver("*", event), 3);
  assertEquals(all.map(({ got }) => got.length), [1, 1, 1]);
});

Deno.test("Hub: a recipient that looks like a property of objects is a name like any other", () => {
  const hub = new Hub();
  for (const name of ["constructor", "__proto__", "toString"]) {
    assertEquals([hub.has(name), hub.deliver([name], event)], [false, 0]);
    hub.join(subscriber(name));
    assertEquals([hub.has(name), hub.deliver([name], event)], [true, 1]);
  }
});

Deno.test("Hub: who leaves hears nothing more, and the others of its recipients go on", () => {
  const hub = new Hub();
  const [one, other, third] = [subscriber("ann"), subscriber("ann"), subscriber("ann")];
  for (const each of [one, other, third]) hub.join(each);
  hub.leave(one);
  hub.leave(one);
  assertEquals(hub.deliver(["ann"], event), 2);
  hub.leave(third);
  assertEquals([hub.deliver(["ann"], event), one.got.length, other.got.length], [1, 0, 2]);
});

Deno.test("Hub: nothing of a name is kept after its last subscriber", () => {
  const hub = new Hub();
  const all = [subscriber("ann", "bob"), subscriber("ann")];
  for (const one of all) hub.join(one);
  assertEquals([hub.size, hub.recipients], [2, 2]);
  for (const one of all) hub.leave(one);
  assertEquals([hub.size, hub.recipients, hub.has("ann")], [0, 0, false]);
});
