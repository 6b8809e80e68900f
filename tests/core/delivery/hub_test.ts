import { assertEquals } from "@std/assert";
import { gapEvent, type ServerEvent } from "../../../src/core/server_event.ts";
import { Hub } from "../../../src/core/delivery/hub.ts";

Deno.test("a message that names a recipient twice is delivered to each of its subscribers once", () => {
  const hub = new Hub();
  const event = gapEvent({ stream: "0-0", marker: "", since: 0 }, "channel");
  const got: ServerEvent[][] = [];
  for (const recipients of [["ann"], ["bob"], ["bob", "ann"]]) {
    const events: ServerEvent[] = [];
    got.push(events);
    hub.join({ recipients, lastDelivery: 0, push: (event) => events.push(event) });
  }
  assertEquals(hub.deliver(["ann", "ann"], event), 2);
  assertEquals(got, [[event], [], [event]]);
  assertEquals(hub.deliver(["bob", "ann", "bob"], event), 3);
  assertEquals(got, [[event, event], [event], [event, event]]);
});
